"""Knocks at a port where nobody listens and prints what the kernel makes of the answer.

closed_port.py tcp|udp ADDRESS PORT   prints the error's name, for UDP with the ICMP message's type and code and
                                      `quoted` if it quoted our datagram; exit code 0 if it took less than half a second
"""

import errno
import socket
import struct
import sys
import time

protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
version6 = ":" in address
family = socket.AF_INET6 if version6 else socket.AF_INET
IP_RECVERR, IPV6_RECVERR = 11, 25
PAYLOAD = b"is anybody there?"


def knock():
    if protocol == "tcp":
        try:
            socket.create_connection((address, port), timeout=5)
            return "connected"
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error))
    knocker = socket.socket(family, socket.SOCK_DGRAM)
    knocker.settimeout(5)
    knocker.connect((address, port))
    level, option = (socket.IPPROTO_IPV6, IPV6_RECVERR) if version6 else (socket.IPPROTO_IP, IP_RECVERR)
    knocker.setsockopt(level, option, 1)
    knocker.send(PAYLOAD)
    try:
        knocker.recv(2048)
        return "an answer"
    except OSError as error:
        name = errno.errorcode.get(error.errno, str(error))
    # The error queue holds our datagram as the ICMP message quoted it, and struct sock_extended_err.
    quote, controls, _, _ = knocker.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
    for _, kind, data in controls:
        if kind == option:
            _, origin, icmp_type, icmp_code = struct.unpack("=IBBB", data[:7])
            return f"{name} type {icmp_type} code {icmp_code} {'quoted' if quote == PAYLOAD else quote}"
    return name


began = time.monotonic()
print(knock())
sys.exit(0 if time.monotonic() - began < 0.5 else 1)
