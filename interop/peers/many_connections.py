"""Opens COUNT connections to an upper-case server, and only when all of them stand sends a different line on each.

many_connections.py ADDRESS PORT COUNT   prints how many were answered well while all were open
"""

import asyncio
import resource
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (4 * count, 4 * count))


async def main():
    open_connections = await asyncio.gather(*[asyncio.open_connection(address, port) for _ in range(count)])
    # The answer of a connection cannot come before this point, as nothing has been asked: all are open together.
    for number, (_, writer) in enumerate(open_connections):
        writer.write(f"connection number {number} of many\n".encode())
    answers = await asyncio.gather(*[reader.readline() for reader, _ in open_connections])
    good = sum(answer == f"CONNECTION NUMBER {number} OF MANY\n".encode() for number, answer in enumerate(answers))
    print(good)
    for _, writer in open_connections:
        writer.close()


asyncio.run(main())
