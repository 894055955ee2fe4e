"""Answers one line on each connection with its text in upper case: tcp_server.py [host [port]]"""

import sys
from socket import AF_INET, AF_INET6, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

host = sys.argv[1] if len(sys.argv) > 1 else ""
port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000
family = AF_INET6 if ":" in host else AF_INET

server_socket = socket(family, SOCK_STREAM)
# A test may start the server again at once, while its old connections are still in TIME-WAIT.
server_socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server_socket.bind((host, port))
server_socket.listen(1)
print("ready", flush=True)
while True:
    connection_socket, client_address = server_socket.accept()
    text = connection_socket.recv(1024)
    connection_socket.send(text.decode().upper().encode())
    connection_socket.close()
