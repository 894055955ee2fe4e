#define _GNU_SOURCE
#include "include/MartletFiles.h"

#include <errno.h>
#include <fcntl.h>

#if __linux__
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

int martlet_open_beneath(int root, const char *path, int flags) {
  struct open_how how = {
      .flags = (uint64_t)flags,
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (flags & O_NOFOLLOW ? RESOLVE_NO_SYMLINKS : 0),
  };
  // EAGAIN: something below was renamed meanwhile, so that the kernel could not be sure.
  for (int attempt = 0; attempt < 8; attempt++) {
    long result = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (result >= 0 || (errno != EAGAIN && errno != EINTR)) return (int)result;
  }
  return -1;
}
#else
int martlet_open_beneath(int root, const char *path, int flags) {
  (void)root, (void)path, (void)flags;
  errno = ENOSYS;
  return -1;
}
#endif
