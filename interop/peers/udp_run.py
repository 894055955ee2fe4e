"""Sends datagrams of one size in one run, which the kernel hands on in one piece (UDP_SEGMENT), and prints their answers."""

import socket
import sys

UDP_SEGMENT = 103

name, port, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_DGRAM)[0]
run = sys.stdin.buffer.read()
with socket.socket(family, kind, protocol) as client:
    client.settimeout(5)
    client.connect(address)
    client.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
    client.send(run)
    answers = [client.recv(65_536) for _ in range(-(-len(run) // size))]
for answer in answers:
    print(len(answer), answer.decode())
