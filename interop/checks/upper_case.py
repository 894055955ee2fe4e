"""The lectures' upper-case programs, each against Martlet's other half."""

from bench import end, read_line
from harness import check, expect

SENTENCE, ANSWER = "the quick brown fox jumps\n", "THE QUICK BROWN FOX JUMPS"


@check("the lecture's {protocol} client is answered by martlet up", protocol=["udp", "tcp"])
def lecture_client(bench, ip, protocol):
    bench.serve()
    result = bench.peer(f"{protocol}_client.py", ip.martlet, 12000, input=SENTENCE)
    expect(result.status == 0 and ANSWER in result.out, f"{ANSWER!r} was due: {result}")


@check("martlet nc is answered by the lecture's TCP server")
def lecture_tcp_server(bench, ip):
    bench.start_peer("tcp_server.py", ip.kernel, 12000, ready="ready")
    result = bench.martlet("nc", ip.kernel, 12000, input=SENTENCE)
    expect(result.status == 0 and result.out == ANSWER + "\n", f"{ANSWER!r} was due: {result}")


@check("martlet nc -u is answered by the lecture's UDP server")
def lecture_udp_server(bench, ip):
    bench.start_peer("udp_server.py", ip.kernel, 12000, ready="ready")
    client = bench.start_martlet("nc", "-u", ip.kernel, 12000)
    client.stdin.write(SENTENCE.encode())
    client.stdin.flush()
    answer = read_line(client, bench.patience)
    end(client)  # nothing on the wire says that a UDP conversation is over
    expect(answer == ANSWER + "\n", f"{ANSWER!r} was due, not {answer!r}")


@check("datagrams that the kernel hands over in one run are each answered")
def run_of_datagrams(bench, ip):
    bench.serve()
    pieces = ["a" * 1_000, "b" * 1_000, "c" * 1_000, "d" * 10]
    result = bench.peer("udp_run.py", ip.martlet, 12000, 1_000, input="".join(pieces))
    answers = sorted(result.out.split("\n")[:-1])
    due = sorted(f"{len(piece)} {piece.upper()}" for piece in pieces)
    expect(result.status == 0 and answers == due, f"four answers were due: {result}")
