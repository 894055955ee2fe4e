// The configuration in which lwIP is measured: IPv4 over Ethernet, no operating system layer, buffers and windows
// large enough that they are never what holds it back, every software checksum on, assertions and statistics off.

#ifndef PEER_LWIPOPTS_H
#define PEER_LWIPOPTS_H

#define NO_SYS                    1
#define SYS_LIGHTWEIGHT_PROT      0
#define LWIP_NETCONN              0
#define LWIP_SOCKET               0

#define LWIP_IPV4                 1
#define LWIP_IPV6                 0
#define LWIP_ETHERNET             1
#define LWIP_ARP                  1
#define LWIP_ICMP                 1
#define LWIP_RAW                  0
#define LWIP_DHCP                 0
#define LWIP_DNS                  0
#define LWIP_IGMP                 0
#define IP_REASSEMBLY             1
#define IP_FRAG                   1

// Both ends live in one stack: a packet for the other end must go through the link, never around it.
#define LWIP_NETIF_LOOPBACK       0
#define LWIP_HAVE_LOOPIF          0

// Each PCB remembers where its neighbor stands in the ARP table.
#define LWIP_NETIF_HWADDRHINT     1

// Pools in place of the first-fit heap.
#define MEM_ALIGNMENT             8
#define MEM_LIBC_MALLOC           0
#define MEM_USE_POOLS             1
#define MEMP_USE_CUSTOM_POOLS     1
#define MEM_USE_POOLS_TRY_BIGGER_POOL 1
#define MEMP_NUM_PBUF             8192
#define MEMP_NUM_TCP_SEG          8192
#define MEMP_NUM_TCP_PCB          2304
#define MEMP_NUM_TCP_PCB_LISTEN   8
#define MEMP_NUM_UDP_PCB          8
#define PBUF_POOL_SIZE            4096
#define PBUF_POOL_BUFSIZE         1536

#define LWIP_TCP                  1
// With PEER_MTU the link takes 64 KB at once.
#ifdef PEER_MTU
#define TCP_MSS                   (PEER_MTU - 40)
// The checks have segments of 16 KB at most in mind.
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1
#else
#define PEER_MTU                  1500
#define TCP_MSS                   1460
#endif
#ifndef PEER_WINDOW
#define PEER_WINDOW               (512 * 1024)
#endif
#define LWIP_WND_SCALE            1
#define TCP_RCV_SCALE             4
#define TCP_WND                   PEER_WINDOW
#define TCP_SND_BUF               PEER_WINDOW
#define TCP_SND_QUEUELEN          4096
#define TCP_SNDLOWAT              (16 * 1024)
#define TCP_LISTEN_BACKLOG        0
#define LWIP_UDP                  1

#ifndef PEER_CHECKSUMS
#define PEER_CHECKSUMS            1
#endif
#define CHECKSUM_GEN_IP           1
#define CHECKSUM_GEN_UDP          PEER_CHECKSUMS
#define CHECKSUM_GEN_TCP          PEER_CHECKSUMS
#define CHECKSUM_GEN_ICMP         1
#define CHECKSUM_CHECK_IP         1
#define CHECKSUM_CHECK_UDP        PEER_CHECKSUMS
#define CHECKSUM_CHECK_TCP        PEER_CHECKSUMS
#define CHECKSUM_CHECK_ICMP       1
#define LWIP_CHKSUM_ALGORITHM     2
#ifndef LWIP_CHECKSUM_ON_COPY
#define LWIP_CHECKSUM_ON_COPY     0
#endif

#define LWIP_STATS                0
#define LWIP_NOASSERT             1

#endif
