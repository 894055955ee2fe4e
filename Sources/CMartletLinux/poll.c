#if __linux__
#define _GNU_SOURCE
#endif
#include "MartletPoll.h"

#include <errno.h>

#ifdef __linux__

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int martlet_poll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int martlet_poll_control(int poll, int descriptor, int change, uint32_t flags, uint64_t tag) {
  struct epoll_event event = {.events = 0, .data = {.u64 = tag}};
  if (flags & MARTLET_POLL_READ) event.events |= EPOLLIN | EPOLLRDHUP;
  if (flags & MARTLET_POLL_WRITE) event.events |= EPOLLOUT;
  int op = change == 0 ? EPOLL_CTL_ADD : change == 1 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
  return epoll_ctl(poll, op, descriptor, &event);
}

// The kernel's, whatever the libc calls its own.
struct span {
  int64_t seconds;
  int64_t nanoseconds;
};

// Waits for a time that epoll_wait, which counts milliseconds, cannot.
static int wait_for(int poll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
#ifdef SYS_epoll_pwait2
  static _Atomic int missing;
  if (!missing) {
    struct span span = {.seconds = nanoseconds / 1000000000, .nanoseconds = nanoseconds % 1000000000};
    int count = (int)syscall(SYS_epoll_pwait2, poll, events, capacity, &span, (void *)0, (size_t)0);
    // A kernel before 5.11 lacks it, and a sandbox may forbid what it does not know.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    missing = 1;
  }
#endif
  // An epoll descriptor can itself be polled, and ppoll counts nanoseconds.
  struct pollfd descriptor = {.fd = poll, .events = POLLIN, .revents = 0};
  struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
  int ready = ppoll(&descriptor, 1, &time, 0);
  return ready <= 0 ? ready : epoll_wait(poll, events, capacity, 0);
}

int martlet_poll_wait(int poll, struct martlet_poll_event *events, int capacity, int64_t nanoseconds) {
  struct epoll_event raw[64];
  if (capacity > 64) capacity = 64;
  int count = nanoseconds > 0 ? wait_for(poll, raw, capacity, nanoseconds)
                              : epoll_wait(poll, raw, capacity, nanoseconds < 0 ? -1 : 0);
  for (int i = 0; i < count; i++) {
    events[i].tag = raw[i].data.u64;
    events[i].reserved = 0;
    events[i].flags = 0;
    if (raw[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) events[i].flags |= MARTLET_POLL_READ;
    if (raw[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) events[i].flags |= MARTLET_POLL_WRITE;
    if (raw[i].events & (EPOLLHUP | EPOLLERR)) events[i].flags |= MARTLET_POLL_HANGUP;
  }
  return count;
}

int martlet_bell_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void martlet_bell_ring(int bell) {
  uint64_t one = 1;
  ssize_t written = write(bell, &one, sizeof one);
  (void)written;
}

void martlet_bell_silence(int bell) {
  uint64_t count;
  ssize_t got = read(bell, &count, sizeof count);
  (void)got;
}

#else

int martlet_poll_create(void) { errno = ENOSYS; return -1; }
int martlet_poll_control(int poll, int descriptor, int change, uint32_t flags, uint64_t tag) {
  (void)poll; (void)descriptor; (void)change; (void)flags; (void)tag;
  errno = ENOSYS;
  return -1;
}
int martlet_poll_wait(int poll, struct martlet_poll_event *events, int capacity, int64_t nanoseconds) {
  (void)poll; (void)events; (void)capacity; (void)nanoseconds;
  errno = ENOSYS;
  return -1;
}
int martlet_bell_create(void) { errno = ENOSYS; return -1; }
void martlet_bell_ring(int bell) { (void)bell; }
void martlet_bell_silence(int bell) { (void)bell; }

#endif
