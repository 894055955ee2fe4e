"""The lecture's UDP client: a sentence from the keyboard goes out, its upper-case form comes back."""

import sys
from socket import SOCK_DGRAM, getaddrinfo, socket

server_name, server_port = sys.argv[1], int(sys.argv[2])
family, kind, protocol, _, server_address = getaddrinfo(server_name, server_port, type=SOCK_DGRAM)[0]
client_socket = socket(family, kind, protocol)
message = sys.stdin.readline().rstrip("\n")
client_socket.sendto(message.encode(), server_address)
modified_message, _ = client_socket.recvfrom(2048)
print(modified_message.decode())
client_socket.close()
