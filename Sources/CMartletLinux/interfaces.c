#if __linux__
#define _GNU_SOURCE
#include "CMartletLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

// Runs of UDP datagrams (Linux 6.2), both versions or none.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

_Static_assert(sizeof(struct martlet_vnet_header) == sizeof(struct virtio_net_hdr), "the virtio header has ten bytes");

static int set_name(struct ifreq *request, const char *name) {
  memset(request, 0, sizeof *request);
  size_t length = strlen(name);
  if (length >= IFNAMSIZ) return -ENAMETOOLONG;
  memcpy(request->ifr_name, name, length);
  return 0;
}

int martlet_tap_open(const char *device, char *name, int offloads) {
  struct ifreq request;
  int failed = set_name(&request, name);
  if (failed) return failed;
  int descriptor = open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  int header = sizeof(struct virtio_net_hdr);
  unsigned features = offloads ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;
  if (ioctl(descriptor, TUNSETIFF, &request) < 0 || ioctl(descriptor, TUNSETVNETHDRSZ, &header) < 0
      || (ioctl(descriptor, TUNSETOFFLOAD, offloads ? features | TUN_F_USO4 | TUN_F_USO6 : 0) < 0
          && ioctl(descriptor, TUNSETOFFLOAD, features) < 0)) {
    failed = -errno;
    close(descriptor);
    return failed;
  }
  memcpy(name, request.ifr_name, IFNAMSIZ);
  name[IFNAMSIZ - 1] = 0;
  return descriptor;
}

// Asks the kernel something about an interface; every question of this kind goes through a socket of any family.
static int ask(const char *name, unsigned long question, struct ifreq *request) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  int failed = ioctl(descriptor, question, request) < 0 ? -errno : 0;
  close(descriptor);
  return failed;
}

int martlet_network_namespace_enter(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

int martlet_interface_index(const char *name) { return (int)if_nametoindex(name); }

int martlet_interface_mtu(const char *name) {
  struct ifreq request;
  int failed = set_name(&request, name);
  if (!failed) failed = ask(name, SIOCGIFMTU, &request);
  return failed ? failed : request.ifr_mtu;
}

int martlet_interface_set_mtu(const char *name, int mtu) {
  struct ifreq request;
  int failed = set_name(&request, name);
  if (failed) return failed;
  request.ifr_mtu = mtu;
  return ask(name, SIOCSIFMTU, &request);
}

int martlet_interface_mac(const char *name, uint64_t *mac) {
  struct ifreq request;
  int failed = set_name(&request, name);
  if (!failed) failed = ask(name, SIOCGIFHWADDR, &request);
  if (failed) return failed;
  *mac = 0;
  for (int index = 0; index < 6; index++) *mac = *mac << 8 | (uint8_t)request.ifr_hwaddr.sa_data[index];
  return 0;
}

int martlet_interface_set_up(const char *name, int up) {
  struct ifreq request;
  int failed = set_name(&request, name);
  if (!failed) failed = ask(name, SIOCGIFFLAGS, &request);
  if (failed) return failed;
  if (up) request.ifr_flags |= IFF_UP;
  else request.ifr_flags &= ~IFF_UP;
  return ask(name, SIOCSIFFLAGS, &request);
}
#endif
