#pragma once

// Opens `path` below the directory `root`: no component, no symbolic link and no `..` leads out of it, and no link of
// /proc is followed (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS). -1 with errno; ENOSYS where the system has no
// such call.
int martlet_open_beneath(int root, const char *path, int flags);
