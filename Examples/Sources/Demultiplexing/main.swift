import Martlet
import MartletCore
import MartletLinks
import MartletWire

// The lectures' two figures of demultiplexing, each on hosts of its own: who gets which segment, and why.

/// Says where a packet goes on `host`, and whether that is the socket at `expected` (local and remote end).
func show(
  _ kind: SocketStatus.Kind, from remote: SocketAddress, to local: SocketAddress, on host: VirtualHost,
  expecting expected: (local: SocketAddress, remote: SocketAddress?)
) -> Bool {
  let explanation = host.explainDemultiplexing(protocol: kind, from: remote, to: local)
  let row = host.socketTable().first { $0.socket == explanation.socket }
  let isRight = row?.local == expected.local && row?.remote == expected.remote
  let target = row.map { "the socket \($0.local) ← \($0.remote?.description ?? "anyone")" } ?? "nobody"
  print("  \(isRight ? "✓" : "✗") \(kind.rawValue) \(remote) → \(local): \(target), by \(explanation.step.rawValue)")
  return isRight
}

/// Prints the socket table of `host`.
func printSockets(of host: VirtualHost) {
  print("  sockets of \(host.name):")
  for row in host.socketTable() {
    print("    \(row.kind.rawValue)  \(row.local) ← \(row.remote?.description ?? "anyone")  \(row.state ?? "")")
  }
}

let isRight = try datagramFigure() && streamFigure()
print(isRight ? "All went where the figures say." : "Something went elsewhere.")
guard isRight else { preconditionFailure("the figures say otherwise") }
