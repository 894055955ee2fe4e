// Measures lwIP's raw API in this process, both ends on this thread, over a link in memory that carries Ethernet frames
// with an MTU of 1500. Prints one JSON object. Usage: lwip-peer [seconds per row]

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "lwip/init.h"
#include "lwip/memp.h"
#include "lwip/priv/memp_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "lwip/udp.h"

static double seconds_per_row = 1.5;

// Ends the program, without a figure, because what was measured is not what should have been.
static void check(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "lwip-peer: %s\n", what);
  exit(1);
}

// MARK: - The clock

// How a row's time is kept. Reading the clock costs as much as a small packet, so a row calls `clock_expired` only
// once in a while; that also fires lwIP's timers.
struct stopwatch {
  double start, end;
};

static struct stopwatch clock_start(void) {
  struct stopwatch watch = {seconds_now(), 0};
  return watch;
}

static bool clock_expired(struct stopwatch *watch) {
  link_tick();
  watch->end = seconds_now();
  return watch->end - watch->start >= seconds_per_row;
}

static double rate(uint64_t count, struct stopwatch watch) { return (double)count / (watch.end - watch.start); }

static ip_addr_t address_of(int side) {
  ip_addr_t address;
  ip_addr_copy_from_ip4(address, link_addresses[side]);
  return address;
}

// MARK: - Bytes that tell their position

// The stream repeats this block, so that byte k of the stream is `block[k % block_size]`: what arrives can be checked
// against where it claims to be.
enum { block_size = 64 * 1024 };
static uint8_t block[block_size];

static void block_fill(void) {
  uint32_t state = 0x9e3779b9;
  for (size_t i = 0; i < block_size; i++) {
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    block[i] = (uint8_t)state;
  }
}

static bool block_matches(const uint8_t *bytes, size_t count, uint64_t position) {
  while (count > 0) {
    size_t at = position % block_size;
    size_t run = count < block_size - at ? count : block_size - at;
    if (memcmp(bytes, block + at, run) != 0) return false;
    bytes += run, count -= run, position += run;
  }
  return true;
}

// MARK: - TCP: connecting

struct connection {
  struct tcp_pcb *client, *server;
  bool connected, accepted;
};

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error) {
  (void)pcb;
  ((struct connection *)argument)->connected = error == ERR_OK;
  return ERR_OK;
}

static err_t on_accepted(void *argument, struct tcp_pcb *pcb, err_t error) {
  struct connection *connection = argument;
  if (error != ERR_OK || pcb == NULL) return ERR_VAL;
  tcp_nagle_disable(pcb);
  connection->server = pcb;
  connection->accepted = true;
  tcp_arg(pcb, connection);
  return ERR_OK;
}

// A listener at the server's end whose connections are noted in `connection`.
static struct tcp_pcb *listen_on(uint16_t port, struct connection *connection) {
  ip_addr_t address = address_of(link_server);
  struct tcp_pcb *pcb = tcp_new();
  check(pcb != NULL && tcp_bind(pcb, &address, port) == ERR_OK, "cannot bind the listener");
  tcp_bind_netif(pcb, &link_ends[link_server]);
  pcb = tcp_listen(pcb);
  check(pcb != NULL, "cannot listen");
  tcp_bind_netif(pcb, &link_ends[link_server]);
  tcp_arg(pcb, connection);
  tcp_accept(pcb, on_accepted);
  return pcb;
}

// Opens a connection without waiting for it.
static void start_connecting(struct connection *connection, uint16_t port) {
  ip_addr_t local = address_of(link_client), remote = address_of(link_server);
  connection->connected = connection->accepted = false;
  connection->client = tcp_new();
  check(connection->client != NULL, "out of connections");
  tcp_bind_netif(connection->client, &link_ends[link_client]);
  check(tcp_bind(connection->client, &local, 0) == ERR_OK, "cannot bind the client");
  tcp_nagle_disable(connection->client);
  tcp_arg(connection->client, connection);
  check(tcp_connect(connection->client, &remote, port, on_connected) == ERR_OK, "cannot connect");
}

static void connect_to(struct connection *connection, uint16_t port) {
  start_connecting(connection, port);
  // Time only passes here while the neighbor is being resolved, and that takes two frames.
  link_pump(100);
  check(connection->connected && connection->accepted, "the connection was not established");
}

static void abandon(struct connection *connection) {
  tcp_abort(connection->client);
  link_pump(100);
}

// MARK: - TCP: one stream

#ifndef PEER_WRITE_FLAGS
#define PEER_WRITE_FLAGS TCP_WRITE_FLAG_COPY
#endif

struct stream {
  uint64_t written, received;
  bool thorough, damaged;
};

static struct stream stream;

// Compares the whole payload when `thorough`, else its first and last eight bytes, and gives the window back.
static err_t on_stream_received(void *argument, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  (void)argument;
  if (data == NULL || error != ERR_OK) return ERR_OK;
  uint64_t position = stream.received;
  for (struct pbuf *part = data; part != NULL; part = part->next) {
    const uint8_t *bytes = part->payload;
    if (stream.thorough || part->len < 16) {
      stream.damaged |= !block_matches(bytes, part->len, position);
    } else {
      stream.damaged |= !block_matches(bytes, 8, position);
      stream.damaged |= !block_matches(bytes + part->len - 8, 8, position + part->len - 8);
    }
    position += part->len;
  }
  stream.received += data->tot_len;
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  return ERR_OK;
}

#ifndef PEER_BATCH
#define PEER_BATCH (32 * 1024)
#endif

static void stream_write(struct tcp_pcb *pcb) {
  size_t budget = PEER_BATCH;
  while (budget > 0) {
    size_t at = stream.written % block_size;
    size_t count = block_size - at < budget ? block_size - at : budget;
    if (count > tcp_sndbuf(pcb)) count = tcp_sndbuf(pcb);
    if (count == 0 || tcp_write(pcb, block + at, (u16_t)count, PEER_WRITE_FLAGS) != ERR_OK) break;
    stream.written += count;
    budget -= count;
  }
  tcp_output(pcb);
}

static double measure_tcp_bulk(void) {
  static struct connection connection;
  struct tcp_pcb *listener = listen_on(5001, &connection);
  connect_to(&connection, 5001);
  tcp_recv(connection.server, on_stream_received);

  // First 16 MB with every byte compared, which also opens the congestion window; then the time counts.
  memset(&stream, 0, sizeof stream);
  stream.thorough = true;
  for (int i = 0; stream.received < 16 << 20; i++) {
    check(i < 1 << 20, "the stream stands still");
    stream_write(connection.client);
    link_pump(4);
    link_tick();
  }
  stream.thorough = false;

  uint64_t before = stream.received;
  struct stopwatch watch = clock_start();
  do {
    for (int i = 0; i < 64; i++) {
      stream_write(connection.client);
      link_pump(4);
    }
  } while (!clock_expired(&watch));
  uint64_t counted = stream.received - before;

  for (int i = 0; i < 1 << 20 && stream.received < stream.written; i++) link_pump(4), link_tick();
  check(!stream.damaged, "the stream arrived damaged");
  check(stream.received == stream.written, "the stream is not complete");
  abandon(&connection);
  tcp_close(listener);
  return rate(counted * 8, watch) / 1e9;
}

// MARK: - TCP: round trips of one byte

struct round_trips {
  uint64_t asked, answered;
  bool stopping, damaged;
};

static struct round_trips trips;

static err_t on_question(void *argument, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  (void)argument;
  if (data == NULL || error != ERR_OK) return ERR_OK;
  uint8_t answer = (uint8_t)~*(uint8_t *)data->payload;
  trips.damaged |= data->tot_len != 1;
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  trips.damaged |= tcp_write(pcb, &answer, 1, TCP_WRITE_FLAG_COPY) != ERR_OK;
  return ERR_OK;
}

static void ask(struct tcp_pcb *pcb) {
  uint8_t question = (uint8_t)++trips.asked;
  trips.damaged |= tcp_write(pcb, &question, 1, TCP_WRITE_FLAG_COPY) != ERR_OK;
}

static err_t on_answer(void *argument, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  (void)argument;
  if (data == NULL || error != ERR_OK) return ERR_OK;
  trips.damaged |= data->tot_len != 1 || *(uint8_t *)data->payload != (uint8_t)~trips.asked;
  trips.answered++;
  tcp_recved(pcb, data->tot_len);
  pbuf_free(data);
  if (!trips.stopping) ask(pcb);
  return ERR_OK;
}

static double measure_tcp_round_trips(void) {
  static struct connection connection;
  struct tcp_pcb *listener = listen_on(5002, &connection);
  connect_to(&connection, 5002);
  tcp_recv(connection.server, on_question);
  tcp_recv(connection.client, on_answer);

  memset(&trips, 0, sizeof trips);
  ask(connection.client);
  tcp_output(connection.client);
  struct stopwatch watch = clock_start();
  // A callback writes the next byte and lwIP sends it before it returns, so that the link is never idle.
  while (!clock_expired(&watch)) check(link_pump(1024), "the round trips stand still");
  double result = rate(trips.answered, watch);
  trips.stopping = true;
  link_pump(16);
  check(!trips.damaged && trips.answered == trips.asked, "a round trip brought something else back");
  abandon(&connection);
  tcp_close(listener);
  return result;
}

// MARK: - TCP: connections per second

static bool server_closed;

static err_t on_client_end(void *argument, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  (void)argument, (void)pcb, (void)error;
  if (data != NULL) pbuf_free(data);
  return ERR_OK;
}

static err_t on_server_end(void *argument, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  (void)argument, (void)error;
  if (data != NULL) {
    pbuf_free(data);
    return ERR_OK;
  }
  server_closed = tcp_close(pcb) == ERR_OK;
  return ERR_OK;
}

// Handshake, both FINs, both acknowledged: counted when the client is in TIME-WAIT and the server's side is gone. Then
// the client's side is dropped as lwIP itself does with the oldest in TIME-WAIT when its pool is empty.
static void connect_and_close(struct connection *connection, uint16_t port) {
  start_connecting(connection, port);
  while (!(connection->connected && connection->accepted)) check(link_pump(1), "a handshake stands still");
  server_closed = false;
  tcp_recv(connection->server, on_server_end);
  tcp_recv(connection->client, on_client_end);
  check(tcp_close(connection->client) == ERR_OK, "cannot close");
  link_pump(16);
  check(server_closed && tcp_active_pcbs == NULL, "a connection stays open");
  check(tcp_tw_pcbs == connection->client && tcp_tw_pcbs->next == NULL, "the client is not in TIME-WAIT");
  tcp_abort(connection->client);
  check(tcp_tw_pcbs == NULL, "the client does not leave TIME-WAIT");
}

static double measure_tcp_connections(void) {
  static struct connection connection;
  struct tcp_pcb *listener = listen_on(5003, &connection);
  uint64_t count = 0;
  struct stopwatch watch = clock_start();
  do {
    for (int i = 0; i < 256; i++, count++) connect_and_close(&connection, 5003);
  } while (!clock_expired(&watch));
  tcp_close(listener);
  return rate(count, watch);
}

// MARK: - UDP: datagrams one way

struct datagrams {
  uint64_t sent, received;
  uint16_t size;
  bool damaged;
};

static struct datagrams datagrams;

static void on_datagram(void *argument, struct udp_pcb *pcb, struct pbuf *data, const ip_addr_t *address, u16_t port) {
  (void)argument, (void)pcb, (void)address, (void)port;
  uint64_t number;
  memcpy(&number, data->payload, sizeof number);
  datagrams.damaged |= data->tot_len != datagrams.size || number != datagrams.received;
  datagrams.damaged |= memcmp((uint8_t *)data->payload + data->len - 8, block + datagrams.size - 8, 8) != 0;
  datagrams.received++;
  pbuf_free(data);
}

static void send_datagram(struct udp_pcb *pcb) {
  struct pbuf *data = pbuf_alloc(PBUF_TRANSPORT, datagrams.size, PBUF_RAM);
  check(data != NULL, "out of memory for datagrams");
  memcpy(data->payload, block, datagrams.size);
  memcpy(data->payload, &datagrams.sent, sizeof datagrams.sent);
  if (udp_send(pcb, data) == ERR_OK) datagrams.sent++;
  pbuf_free(data);
}

static double measure_udp(uint16_t size, uint16_t port) {
  ip_addr_t local = address_of(link_client), remote = address_of(link_server);
  struct udp_pcb *sender = udp_new(), *receiver = udp_new();
  check(sender != NULL && receiver != NULL, "out of UDP endpoints");
  udp_bind_netif(sender, &link_ends[link_client]);
  udp_bind_netif(receiver, &link_ends[link_server]);
  check(udp_bind(sender, &local, 0) == ERR_OK && udp_bind(receiver, &remote, port) == ERR_OK, "cannot bind");
  check(udp_connect(sender, &remote, port) == ERR_OK, "cannot set the peer");
  udp_recv(receiver, on_datagram, NULL);

  memset(&datagrams, 0, sizeof datagrams);
  datagrams.size = size;
  struct stopwatch watch = clock_start();
  do {
    for (int i = 0; i < 64; i++) {
      for (int j = 0; j < 32; j++) send_datagram(sender);
      link_pump(4);
    }
  } while (!clock_expired(&watch));
  check(!datagrams.damaged, "a datagram arrived damaged or out of order");
  check(datagrams.received == datagrams.sent && datagrams.received > 0, "datagrams were lost");
  udp_remove(sender);
  udp_remove(receiver);
  return rate(datagrams.received, watch);
}

// MARK: - Memory of an idle connection

// One end of an idle connection: its element of the pool, after a check that nothing else hangs on it.
static double measure_bytes_per_connection(void) {
  enum { pairs = 1000 };
  static struct connection connections[pairs];
  uint64_t bytes = 0;
  int ends = 0;
  struct tcp_pcb *listener = listen_on(5004, NULL);
  for (int i = 0; i < pairs; i++) {
    tcp_arg(listener, &connections[i]);
    connect_to(&connections[i], 5004);
  }
  tcp_close(listener);
  for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
    bool bare = pcb->unsent == NULL && pcb->unacked == NULL && pcb->ooseq == NULL && pcb->refused_data == NULL;
    check(bare && pcb->state == ESTABLISHED, "a connection is not idle");
    bytes += memp_pools[MEMP_TCP_PCB]->size;
    ends++;
  }
  check(ends == 2 * pairs, "not every connection is there");
  for (int i = 0; i < pairs; i++) abandon(&connections[i]);
  return (double)bytes / ends;
}

int main(int argc, char **argv) {
  if (argc > 1) seconds_per_row = strtod(argv[1], NULL);
  check(seconds_per_row > 0 && seconds_per_row <= 600, "seconds per row: a number above 0, up to 600");
  fprintf(
    stderr, "lwip-peer: lwIP %s, window %d bytes, segments of %d bytes, %s\n", LWIP_VERSION_STRING, (int)TCP_WND, TCP_MSS,
    NO_SYS ? "built from source" : "prebuilt library (its window and allocator are not tuned)");
  srand(1);
  lwip_init();
  link_open();
  block_fill();

  // The first connection resolves the neighbors, outside the time of any row.
  static struct connection first;
  struct tcp_pcb *listener = listen_on(5000, &first);
  connect_to(&first, 5000);
  abandon(&first);
  tcp_close(listener);

#ifdef PEER_ROW
  printf("{\"" PEER_ROW "\": %.2f}\n", measure_tcp_bulk());
  return 0;
#endif
  double bulk = measure_tcp_bulk();
  double round_trips = measure_tcp_round_trips();
  double connections = measure_tcp_connections();
  double small_datagrams = measure_udp(64, 6001);
  double full_datagrams = measure_udp(1472, 6002);
  double bytes = measure_bytes_per_connection();
  check(link_delivered > 0, "no frame crossed the link");

  printf("{\"tcp_bulk_gbps\": %.2f, \"tcp_rr_per_s\": %.0f, \"tcp_crr_per_s\": %.0f, ", bulk, round_trips, connections);
  printf("\"udp64_per_s\": %.0f, \"udp1472_per_s\": %.0f, ", small_datagrams, full_datagrams);
  printf("\"bytes_per_connection\": %.0f}\n", bytes);
  return 0;
}
