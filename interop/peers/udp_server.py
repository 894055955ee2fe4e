"""Answers each datagram with its text in upper case: udp_server.py [host [port]]"""

import sys
from socket import AF_INET, AF_INET6, SOCK_DGRAM, socket

host = sys.argv[1] if len(sys.argv) > 1 else ""
port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000
family = AF_INET6 if ":" in host else AF_INET

server_socket = socket(family, SOCK_DGRAM)
server_socket.bind((host, port))
print("ready", flush=True)
while True:
    text, client_address = server_socket.recvfrom(2048)
    server_socket.sendto(text.decode().upper().encode(), client_address)
