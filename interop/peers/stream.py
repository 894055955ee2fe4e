"""A long stream through TCP.

stream.py send ADDRESS PORT FILE   connects (again, until somebody listens), sends the file, half-closes, reads to the
                                   end; prints the time of day at which the connection stood
stream.py receive ADDRESS PORT     takes one connection, reads it to its end;
                                   prints `ready`, then SHA-256, bytes and seconds
"""

import hashlib
import socket
import sys
import time

role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET

if role == "send":
    late = time.monotonic() + 10
    while True:
        connection = socket.socket(family)
        connection.settimeout(1)
        try:
            connection.connect((address, port))
            break
        except OSError as error:
            connection.close()
            if time.monotonic() > late:
                sys.exit(f"nobody listens at {address} port {port}: {error}")
            time.sleep(0.05)
    connection.settimeout(None)
    print(time.time(), flush=True)
    with open(sys.argv[4], "rb") as file:
        connection.sendfile(file)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass
else:
    listener = socket.create_server((address, port), family=family)
    print("ready", flush=True)
    connection, _ = listener.accept()
    began, digest, count = time.monotonic(), hashlib.sha256(), 0
    while piece := connection.recv(1 << 20):
        digest.update(piece)
        count += len(piece)
    print(digest.hexdigest(), count, time.monotonic() - began)
