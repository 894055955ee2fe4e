#define _GNU_SOURCE
#include "include/MartletFiles.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LIMIT = 4096 };

struct mapping {
  _Atomic uintptr_t start;
  _Atomic size_t size;
  uint32_t fault;
  // Whether the place is taken.
  _Atomic int used;
};

// Found by a signal handler, so no lock and no memory that moves.
static struct mapping mappings[LIMIT];
static _Atomic int highest;
static uintptr_t page_size;
static struct sigaction previous;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int installed;

static struct mapping *mapping_of(uintptr_t address) {
  int end = atomic_load_explicit(&highest, memory_order_acquire);
  for (int i = 0; i < end; i++) {
    uintptr_t start = atomic_load_explicit(&mappings[i].start, memory_order_acquire);
    size_t size = atomic_load_explicit(&mappings[i].size, memory_order_acquire);
    if (start && address - start < size) return &mappings[i];
  }
  return 0;
}

static void pass_on(int number, siginfo_t *info, void *context) {
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(number);
  } else {
    // The instruction runs again, and the signal does what it did before.
    sigaction(SIGBUS, &previous, 0);
    if (info->si_code <= 0) raise(number);
  }
}

static void take_signal(int number, siginfo_t *info, void *context) {
  int saved = errno;
  uintptr_t address = (uintptr_t)info->si_addr;
  // A signal that some process sent has no address.
  struct mapping *mapping = info->si_code > 0 ? mapping_of(address) : 0;
  if (mapping) {
    __atomic_store_n(&mapping->fault, 1, __ATOMIC_RELEASE);
    void *page = (void *)(address & ~(page_size - 1));
    if (mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
      errno = saved;
      return;
    }
  }
  errno = saved;
  pass_on(number, info, context);
}

static void install(void) {
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  struct sigaction action = {.sa_sigaction = take_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  sigemptyset(&action.sa_mask);
  installed = sigaction(SIGBUS, &action, &previous) == 0;
}

const uint32_t *martlet_mapping_guard(void *start, size_t size) {
  pthread_once(&once, install);
  if (!installed) return 0;
  for (int i = 0; i < LIMIT; i++) {
    int unused = 0;
    if (!atomic_compare_exchange_strong(&mappings[i].used, &unused, 1)) continue;
    __atomic_store_n(&mappings[i].fault, 0, __ATOMIC_RELAXED);
    atomic_store_explicit(&mappings[i].size, size, memory_order_release);
    atomic_store_explicit(&mappings[i].start, (uintptr_t)start, memory_order_release);
    int end = atomic_load(&highest);
    while (end < i + 1 && !atomic_compare_exchange_weak(&highest, &end, i + 1)) {}
    return &mappings[i].fault;
  }
  return 0;
}

void martlet_mapping_unguard(const uint32_t *flag) {
  struct mapping *mapping = (struct mapping *)((char *)flag - offsetof(struct mapping, fault));
  atomic_store_explicit(&mapping->start, 0, memory_order_release);
  atomic_store_explicit(&mapping->size, 0, memory_order_release);
  atomic_store(&mapping->used, 0);
}

int martlet_mapping_limit(void) { return LIMIT; }
