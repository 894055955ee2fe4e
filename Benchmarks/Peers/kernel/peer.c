// The kernel's TCP at the end of a link, as client or as server: a stream in, a stream out, round trips, connections.
//
//   peer server
//   peer client ADDRESS in|out|incopied|outcopied|roundtrips|connections SECONDS
//
// A server listens on a port a kind and says "ready". A client drives one kind for SECONDS and prints its rate: 10^9
// payload bits a second, or how often a second. "in" and "out" are seen from the server; whether it copies makes a
// difference for Martlet only. Every answer is checked.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { STREAM_IN, STREAM_OUT, COPIED_IN, COPIED_OUT, ROUND_TRIPS, CONNECTIONS, KINDS };
static const char *const names[KINDS] = {"in", "out", "incopied", "outcopied", "roundtrips", "connections"};
enum { FIRST_PORT = 5201, BUFFER_BYTES = 1 << 20 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void no_delay(int socket) {
  int one = 1;
  if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0) fail("TCP_NODELAY");
}

// BBR, where it is the default, paces what it sends and halves the rate between two ends of one machine.
static void choose_congestion_control(int socket) {
  setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
}

static char *buffer(void) {
  char *bytes = malloc(BUFFER_BYTES);
  if (!bytes) fail("malloc");
  memset(bytes, 0x5a, BUFFER_BYTES);
  return bytes;
}

// Sends everything; 0 when the other end is gone.
static int send_all(int socket, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(socket, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    bytes += sent;
    count -= (size_t)sent;
  }
  return 1;
}

// How many bytes came before the other end closed.
static uint64_t receive_all(int socket, char *bytes) {
  uint64_t total = 0;
  ssize_t got;
  while ((got = recv(socket, bytes, BUFFER_BYTES, 0)) > 0) total += (uint64_t)got;
  if (got < 0) fail("recv");
  return total;
}

// Server

static void serve(enum kind kind, int socket, char *bytes) {
  switch (kind) {
    case STREAM_IN:
    case COPIED_IN: {
      uint64_t total = htobe64(receive_all(socket, bytes));
      send_all(socket, (const char *)&total, sizeof total);
      break;
    }
    case STREAM_OUT:
    case COPIED_OUT:
      while (send_all(socket, bytes, BUFFER_BYTES)) {}
      break;
    case ROUND_TRIPS:
      no_delay(socket);
      for (char byte; recv(socket, &byte, 1, 0) == 1;) {
        byte = (char)~byte;
        if (!send_all(socket, &byte, 1)) break;
      }
      break;
    default: {
      char byte;
      (void)!recv(socket, &byte, 1, 0);
      break;
    }
  }
  close(socket);
}

_Noreturn static void *listen_for(void *argument) {
  enum kind kind = *(const enum kind *)argument;
  int listener = *((const int *)argument + 1);
  char *bytes = buffer();
  for (;;) {
    int socket = accept(listener, 0, 0);
    if (socket >= 0) serve(kind, socket, bytes);
  }
}

static int server(void) {
  static int arguments[KINDS][2];
  for (int kind = 0; kind < KINDS; kind++) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(FIRST_PORT + kind)};
    if (listener < 0) fail("socket");
    choose_congestion_control(listener);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 128) < 0) fail("listen");
    arguments[kind][0] = kind;
    arguments[kind][1] = listener;
    pthread_t thread;
    if (pthread_create(&thread, 0, listen_for, arguments[kind]) != 0) fail("pthread_create");
  }
  puts("ready");
  fflush(stdout);
  // Until the script closes the standard input, or is gone.
  char byte;
  while (read(0, &byte, 1) > 0) {}
  return 0;
}

// Client

static int connect_to(const struct sockaddr_in *address) {
  int socket_ = socket(AF_INET, SOCK_STREAM, 0);
  if (socket_ < 0) fail("socket");
  choose_congestion_control(socket_);
  struct timeval patience = {.tv_sec = 10};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(socket_, (const struct sockaddr *)address, sizeof *address) < 0) fail("connect");
  return socket_;
}

static double stream_in(const struct sockaddr_in *address, double seconds) {
  char *bytes = buffer();
  int socket = connect_to(address);
  uint64_t total = 0, answer = 0;
  double start = now();
  while (now() - start < seconds) {
    if (!send_all(socket, bytes, BUFFER_BYTES)) fail("send");
    total += BUFFER_BYTES;
  }
  shutdown(socket, SHUT_WR);
  if (recv(socket, &answer, sizeof answer, MSG_WAITALL) != sizeof answer) fail("recv");
  double end = now();
  if (be64toh(answer) != total) {
    fprintf(stderr, "%llu bytes sent, %llu arrived\n", (unsigned long long)total, (unsigned long long)be64toh(answer));
    exit(1);
  }
  close(socket);
  return (double)total * 8 / (end - start) / 1e9;
}

static double stream_out(const struct sockaddr_in *address, double seconds) {
  char *bytes = buffer();
  int socket = connect_to(address);
  uint64_t total = 0;
  double start = now(), end;
  do {
    ssize_t got = recv(socket, bytes, BUFFER_BYTES, 0);
    if (got <= 0) fail("recv");
    if (bytes[0] != 0x5a || bytes[got - 1] != 0x5a) {
      fputs("other bytes arrived than were sent\n", stderr);
      exit(1);
    }
    total += (uint64_t)got;
    end = now();
  } while (end - start < seconds);
  close(socket);
  return (double)total * 8 / (end - start) / 1e9;
}

static double round_trips(const struct sockaddr_in *address, double seconds) {
  int socket = connect_to(address);
  no_delay(socket);
  uint64_t count = 0;
  double start = now(), end;
  do {
    char sent = (char)count, got = sent;
    if (!send_all(socket, &sent, 1)) fail("send");
    if (recv(socket, &got, 1, 0) != 1) fail("recv");
    if (got != (char)~sent) {
      fputs("the wrong answer\n", stderr);
      exit(1);
    }
    count++;
    end = now();
  } while (end - start < seconds);
  close(socket);
  return (double)count / (end - start);
}

// The client closes first and waits for the other end to close: both FINs are counted.
static double connections(const struct sockaddr_in *address, double seconds) {
  uint64_t count = 0;
  double start = now(), end;
  do {
    int socket = connect_to(address);
    char byte;
    shutdown(socket, SHUT_WR);
    if (recv(socket, &byte, 1, 0) != 0) fail("recv");
    close(socket);
    count++;
    end = now();
  } while (end - start < seconds);
  return (double)count / (end - start);
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "server") == 0) return server();
  if (count != 5 || strcmp(arguments[1], "client") != 0) {
    fputs("peer server\npeer client ADDRESS in|out|incopied|outcopied|roundtrips|connections SECONDS\n", stderr);
    return 64;
  }
  struct sockaddr_in address = {.sin_family = AF_INET};
  if (inet_pton(AF_INET, arguments[2], &address.sin_addr) != 1) fail(arguments[2]);
  double seconds = atof(arguments[4]), rate = 0;
  for (int kind = 0; kind < KINDS; kind++) {
    if (strcmp(arguments[3], names[kind]) != 0) continue;
    address.sin_port = htons((uint16_t)(FIRST_PORT + kind));
    switch ((enum kind)kind) {
      case STREAM_IN:
      case COPIED_IN: rate = stream_in(&address, seconds); break;
      case STREAM_OUT:
      case COPIED_OUT: rate = stream_out(&address, seconds); break;
      case ROUND_TRIPS: rate = round_trips(&address, seconds); break;
      default: rate = connections(&address, seconds); break;
    }
    printf("%.3f\n", rate);
    return 0;
  }
  fprintf(stderr, "no such kind: %s\n", arguments[3]);
  return 64;
}
