"""The lecture's UDP server: answers every datagram with its upper-case form."""

import sys
from socket import SOCK_DGRAM, getaddrinfo, socket

family, kind, protocol, _, own_address = getaddrinfo(sys.argv[1], int(sys.argv[2]), type=SOCK_DGRAM)[0]
server_socket = socket(family, kind, protocol)
server_socket.bind(own_address)
print("The server is ready to receive")
while True:
    message, client_address = server_socket.recvfrom(2048)
    server_socket.sendto(message.decode().upper().encode(), client_address)
