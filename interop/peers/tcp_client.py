"""The lecture's TCP client: a sentence from the keyboard goes out, its upper-case form comes back."""

import sys
from socket import SOCK_STREAM, getaddrinfo, socket

server_name, server_port = sys.argv[1], int(sys.argv[2])
family, kind, protocol, _, server_address = getaddrinfo(server_name, server_port, type=SOCK_STREAM)[0]
client_socket = socket(family, kind, protocol)
client_socket.connect(server_address)
sentence = sys.stdin.readline()
client_socket.send(sentence.encode())
modified_sentence = client_socket.recv(1024)
print("From server:", modified_sentence.decode())
client_socket.close()
