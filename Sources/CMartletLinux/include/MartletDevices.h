#pragma once

// What Swift cannot import of Linux: requests that are macros with arguments, and structures with unions. Every function that can fail returns a negative errno.

#include <stdint.h>

#if __linux__

#ifdef __cplusplus
extern "C" {
#endif

// What stands in front of a frame on a device with IFF_VNET_HDR or PACKET_VNET_HDR (virtio 1.2 section 5.1.6), in the
// byte order of the machine.
struct martlet_vnet_header {
  uint8_t flags;
  uint8_t gso_type;
  uint16_t header_length;
  uint16_t gso_size;
  uint16_t checksum_start;
  uint16_t checksum_offset;
};

enum {
  MARTLET_VNET_NEEDS_CHECKSUM = 1,
  MARTLET_VNET_DATA_VALID = 2,
  MARTLET_VNET_GSO_NONE = 0,
  MARTLET_VNET_GSO_TCPV4 = 1,
  MARTLET_VNET_GSO_UDP = 3,
  MARTLET_VNET_GSO_TCPV6 = 4,
  MARTLET_VNET_GSO_UDP_L4 = 5,
  MARTLET_VNET_GSO_ECN = 0x80,
};

// TAP

// Opens a TAP device with a virtio header in front of each frame, non-blocking. An empty name lets the kernel choose.
// `name` has room for IFNAMSIZ (16) bytes and holds the device's name when the call returns.
int martlet_tap_open(const char *device, char *name, int offloads);
// Whether an interface of this name exists: its index, 0 if there is none.
int martlet_interface_index(const char *name);
int martlet_interface_mtu(const char *name);
int martlet_interface_set_mtu(const char *name, int mtu);
// The Ethernet address in the low 48 bits, first byte most significant.
int martlet_interface_mac(const char *name, uint64_t *mac);
// Sets or clears IFF_UP.
int martlet_interface_set_up(const char *name, int up);

// Puts the calling thread, and threads it starts later, into a network namespace of its own.
int martlet_network_namespace_enter(void);

// Packet sockets

// Opens a raw packet socket on interface `index`, non-blocking. `vnet` says whether frames carry virtio headers: in, whether
// they shall, out, whether the kernel agreed.
int martlet_packet_open(int index, int promiscuous, int *vnet);
// How many frames the kernel dropped since the last call because nobody read them.
int martlet_packet_drops(int descriptor, uint32_t *drops);

#ifdef __cplusplus
}
#endif

#endif
