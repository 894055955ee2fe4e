#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Whether this build counts: with glibc, and without a sanitizer that has an allocator of its own.
bool allocation_counter_is_active(void);

/// How often the calling thread has asked the system's allocator for memory so far.
uint64_t allocation_counter_value(void);
