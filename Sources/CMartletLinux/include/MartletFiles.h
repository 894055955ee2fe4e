#pragma once

#include <stddef.h>
#include <stdint.h>

/// Opens `path` below the directory `root`: no component, no symbolic link and no `..` leads out of it, and no link of
/// /proc is followed (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS). -1 with errno; ENOSYS where the system has no
/// such call. With O_NOFOLLOW no component may be a symbolic link at all (ELOOP).
int martlet_open_beneath(int root, const char *path, int flags);

/// Notes that the `size` bytes from `start` are a mapping of a file, which somebody may cut: touching a page that is gone then
/// reads zeros and sets the flag that is returned, instead of ending the process. Null if there are too many mappings.
///
/// Takes over SIGBUS when it is called first; what lies in no such mapping goes to whoever had the signal before.
const uint32_t *martlet_mapping_guard(void *start, size_t size);
/// Forgets a mapping; to be called before it is unmapped.
void martlet_mapping_unguard(const uint32_t *flag);
/// How many mappings there can be at one time.
int martlet_mapping_limit(void);
