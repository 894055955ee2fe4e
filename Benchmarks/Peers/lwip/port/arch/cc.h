// What lwIP wants to know of the compiler and the platform: nearly nothing on a hosted, little-endian Linux.

#ifndef PEER_ARCH_CC_H
#define PEER_ARCH_CC_H

#include <stdlib.h>

#define LWIP_RAND() ((u32_t)rand())
#define LWIP_ERRNO_STDINCLUDE 1

// Without these lwIP calls a function for each field it swaps.
#define lwip_htons(x) ((u16_t)__builtin_bswap16(x))
#define lwip_htonl(x) ((u32_t)__builtin_bswap32(x))

typedef unsigned int sys_prot_t;

#endif
