#include "CMartletLinux.h"

#ifdef __GLIBC__
#include <malloc.h>
void martlet_return_free_memory(void) { malloc_trim(0); }
#else
void martlet_return_free_memory(void) {}
#endif
