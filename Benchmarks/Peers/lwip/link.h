// Two Ethernet interfaces of one lwIP stack, joined back to back in memory.

#ifndef PEER_LINK_H
#define PEER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"

// An end of the link. Its frames wait in a ring until `link_pump` delivers them to the other end.
enum { link_client = 0, link_server = 1 };

extern struct netif link_ends[2];
extern ip4_addr_t link_addresses[2];

// Frames the link has delivered, both directions together; a benchmark that moved none has measured nothing.
extern uint64_t link_delivered;

// Adds both ends to the stack and brings them up.
void link_open(void);

// Delivers everything that waits, and what is sent in answer, for at most `rounds` rounds; false if the link is idle.
bool link_pump(int rounds);

// Puts lwIP's clock forward and fires the timers that are due.
void link_tick(void);

// Seconds on a clock that never goes back.
double seconds_now(void);

#endif
