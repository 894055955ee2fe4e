#pragma once

#include <stdbool.h>
#include <stdint.h>

/// What a descriptor is watched for, and what came of it.
enum { MARTLET_POLL_READ = 1, MARTLET_POLL_WRITE = 2, MARTLET_POLL_HANGUP = 4 };

struct martlet_poll_event {
  uint64_t tag;
  uint32_t flags;
  uint32_t reserved;
};

/// A descriptor that holds a set of watched descriptors, or -1 with errno.
int martlet_poll_create(void);
/// Adds `descriptor` (change 0), changes what it is watched for (1), or takes it out (2). 0, or -1 with errno.
int martlet_poll_control(int poll, int descriptor, int change, uint32_t flags, uint64_t tag);
/// Waits at most `nanoseconds` (negative: for ever) and returns how many of `events` were filled, or -1 with errno.
int martlet_poll_wait(int poll, struct martlet_poll_event *events, int capacity, int64_t nanoseconds);

/// Gives memory that was freed back to the system, where the allocator keeps it.
void martlet_return_free_memory(void);
/// A descriptor that becomes readable when another thread rings it, or -1 with errno.
int martlet_bell_create(void);
void martlet_bell_ring(int bell);
void martlet_bell_silence(int bell);
