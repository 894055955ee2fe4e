"""Sends a line to the upper-case server over TCP: tcp_client.py [host [port]]"""

import sys
from socket import AF_INET, AF_INET6, SOCK_STREAM, socket

server_name = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
server_port = int(sys.argv[2]) if len(sys.argv) > 2 else 12000
family = AF_INET6 if ":" in server_name else AF_INET

client_socket = socket(family, SOCK_STREAM)
client_socket.connect((server_name, server_port))
line = input("Lower-case line: ")
client_socket.send(line.encode())
answer = client_socket.recv(1024)
print(answer.decode())
client_socket.close()
