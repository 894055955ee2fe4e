#if __linux__
#define _GNU_SOURCE
#include "CMartletLinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

int martlet_packet_open(int index, int promiscuous, int *vnet) {
  // Protocol 0 receives nothing, so that no frame of another interface gets in before bind.
  int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int one = 1;
  if (*vnet && setsockopt(descriptor, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0) *vnet = 0;
  // A kernel before 4.20 lacks it; the host drops what it sent itself.
  (void)setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  struct sockaddr_ll address = {
    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
  int failed = 0;
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) failed = -errno;
  if (!failed && promiscuous) {
    struct packet_mreq membership = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
    if (setsockopt(descriptor, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) < 0) failed = -errno;
  }
  if (!failed) {
    int size = 8 << 20;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
      (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return descriptor;
  }
  close(descriptor);
  return failed;
}

int martlet_packet_drops(int descriptor, uint32_t *drops) {
  struct tpacket_stats statistics;
  socklen_t size = sizeof statistics;
  if (getsockopt(descriptor, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) < 0) return -errno;
  *drops = statistics.tp_drops;
  return 0;
}
#endif
