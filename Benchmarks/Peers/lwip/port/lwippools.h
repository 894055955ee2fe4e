// The blocks that stand in for lwIP's heap (MEM_USE_POOLS): most segments are either nearly empty or nearly full,
// and a free list is faster than a first-fit search.

LWIP_MALLOC_MEMPOOL_START
LWIP_MALLOC_MEMPOOL(16384, 192)
LWIP_MALLOC_MEMPOOL(1024, 512)
LWIP_MALLOC_MEMPOOL(8192, 1664)
#ifdef PEER_ROW
LWIP_MALLOC_MEMPOOL(64, 61440)
#endif
LWIP_MALLOC_MEMPOOL_END
