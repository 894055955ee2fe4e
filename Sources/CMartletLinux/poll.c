#include "MartletPoll.h"

#include <errno.h>

#ifdef __linux__

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

// Not in every libc's default declarations.
extern int ppoll(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

int martlet_poll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int martlet_poll_control(int poll, int descriptor, int change, uint32_t flags, uint64_t tag) {
  struct epoll_event event = {.events = 0, .data = {.u64 = tag}};
  if (flags & MARTLET_POLL_READ) event.events |= EPOLLIN | EPOLLRDHUP;
  if (flags & MARTLET_POLL_WRITE) event.events |= EPOLLOUT;
  int op = change == 0 ? EPOLL_CTL_ADD : change == 1 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
  return epoll_ctl(poll, op, descriptor, &event);
}

int martlet_poll_wait(int poll, struct martlet_poll_event *events, int capacity, int64_t nanoseconds) {
  struct epoll_event raw[64];
  if (capacity > 64) capacity = 64;
  int timeout = nanoseconds < 0 ? -1 : 0;
  if (nanoseconds > 0) {
    // epoll_wait counts milliseconds; an epoll descriptor can itself be polled, and ppoll counts nanoseconds.
    struct pollfd descriptor = {.fd = poll, .events = POLLIN, .revents = 0};
    struct timespec span = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = ppoll(&descriptor, 1, &span, 0);
    if (ready <= 0) return ready;
  }
  int count = epoll_wait(poll, raw, capacity, timeout);
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
