#include "link.h"

#include <string.h>
#include <time.h>

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

// A power of two above the frames a full window can put on the link at once.
enum { ring_capacity = 8192 };

struct ring {
  struct pbuf *frames[ring_capacity];
  unsigned head, tail;
};

struct netif link_ends[2];
ip4_addr_t link_addresses[2];
uint64_t link_delivered;

static struct ring rings[2];

double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#if NO_SYS
u32_t sys_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (u32_t)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}
#endif

void link_tick(void) { sys_check_timeouts(); }

static err_t transmit(struct netif *end, struct pbuf *frame) {
  struct ring *ring = end->state;
  if (ring->tail - ring->head == ring_capacity) return ERR_BUF;
  pbuf_ref(frame);
  ring->frames[ring->tail++ % ring_capacity] = frame;
  return ERR_OK;
}

static err_t set_up(struct netif *end) {
  unsigned side = end == &link_ends[link_server];
  end->name[0] = 'm';
  end->name[1] = side ? 's' : 'c';
  end->state = &rings[side];
  end->output = etharp_output;
  end->linkoutput = transmit;
  end->mtu = PEER_MTU;
  end->hwaddr_len = ETH_HWADDR_LEN;
  const u8_t address[ETH_HWADDR_LEN] = {2, 0, 0, 0, 0, (u8_t)(side + 1)};
  memcpy(end->hwaddr, address, sizeof address);
  end->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
  return ERR_OK;
}

void link_open(void) {
  ip4_addr_t mask, none;
  IP4_ADDR(&mask, 255, 255, 255, 0);
  IP4_ADDR(&none, 0, 0, 0, 0);
  for (int side = 0; side < 2; side++) {
    IP4_ADDR(&link_addresses[side], 10, 0, 0, side + 1);
    netif_add(&link_ends[side], &link_addresses[side], &mask, &none, NULL, set_up, ethernet_input);
    netif_set_up(&link_ends[side]);
  }
  netif_set_default(&link_ends[link_client]);
}

// The frame as the receiver may have it, consuming `frame`. One its sender has let go of (a datagram, a bare
// acknowledgement) changes hands as it is. One its sender keeps for retransmission is copied, as a network card would,
// because lwIP parses headers in place.
static struct pbuf *take_over(struct pbuf *frame) {
  if (frame->ref == 1) return frame;
  struct pbuf *copy = pbuf_alloc(PBUF_RAW, frame->tot_len, PBUF_RAM);
  if (copy != NULL) pbuf_copy(copy, frame);
  pbuf_free(frame);
  return copy;
}

static bool deliver(unsigned from) {
  struct ring *ring = &rings[from];
  struct netif *to = &link_ends[1 - from];
  unsigned end = ring->tail;
  if (ring->head == end) return false;
  while (ring->head != end) {
    struct pbuf *frame = take_over(ring->frames[ring->head++ % ring_capacity]);
    if (frame == NULL) continue;
    link_delivered++;
    if (to->input(frame, to) != ERR_OK) pbuf_free(frame);
  }
  return true;
}

bool link_pump(int rounds) {
  while (rounds-- > 0) {
    bool forth = deliver(link_client);
    bool back = deliver(link_server);
    if (!forth && !back) return false;
  }
  return true;
}
