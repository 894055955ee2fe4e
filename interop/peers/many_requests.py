"""Opens COUNT connections to a web server, and only when all of them stand asks for a file on each.

many_requests.py ADDRESS PORT COUNT   prints how many were answered well while all were open
"""

import asyncio
import resource
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (4 * count, 4 * count))


async def main():
    open_connections = await asyncio.gather(*[asyncio.open_connection(address, port) for _ in range(count)])
    for number, (_, writer) in enumerate(open_connections):
        writer.write(f"GET /hello.txt?{number} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    good = 0
    for reader, _ in open_connections:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            good += head.startswith(b"HTTP/1.1 200 ") and await reader.readexactly(14) == b"Hello, world!\n"
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            print(repr(error)[:100], file=sys.stderr)
    print(good)
    for _, writer in open_connections:
        writer.close()


asyncio.run(main())
