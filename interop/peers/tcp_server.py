"""The lecture's TCP server: answers the first sentence of every connection in upper case, and closes it."""

import sys
from socket import SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, getaddrinfo, socket

family, kind, protocol, _, own_address = getaddrinfo(sys.argv[1], int(sys.argv[2]), type=SOCK_STREAM)[0]
server_socket = socket(family, kind, protocol)
server_socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server_socket.bind(own_address)
server_socket.listen(1)
print("The server is ready to receive")
while True:
    connection_socket, _ = server_socket.accept()
    sentence = connection_socket.recv(1024).decode()
    connection_socket.send(sentence.upper().encode())
    connection_socket.close()
