import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// Two hosts on a virtual wire in virtual time, watched and recorded.
final class DemoStage {
  static let clientMAC: MACAddress = "02:00:00:00:00:01"
  static let serverMAC: MACAddress = "02:00:00:00:00:02"

  /// An address of each host, by version.
  enum Address {
    static func client(_ version: IPVersion) -> IPAddress { version == .v4 ? "192.0.2.1" : "2001:db8::1" }
    static func server(_ version: IPVersion) -> IPAddress { version == .v4 ? "192.0.2.2" : "2001:db8::2" }
    static func fastClient(_ version: IPVersion) -> IPAddress { version == .v4 ? "198.51.100.1" : "2001:db8:1::1" }
    static func fastServer(_ version: IPVersion) -> IPAddress { version == .v4 ? "198.51.100.2" : "2001:db8:1::2" }
  }

  let loop = Loop(.virtual(seed: 1))
  let client: VirtualHost
  let server: VirtualHost
  let observer = Observer(names: [clientMAC: "client", serverMAC: "server"])
  private let recorder: Recorder

  /// The recorder, which the loop's thread alone uses.
  private final class Recorder: @unchecked Sendable {
    let base: CaptureRecorder
    init(_ base: CaptureRecorder) { self.base = base }
  }

  /// Puts up the hosts and records what they do in the file at `path`.
  init(recordingTo path: String) throws {
    client = loop.host("client")
    server = loop.host("server")
    do {
      let (client, server, observer) = (client, server, observer)
      recorder = try loop.withPool { (pool) throws -> Recorder in
        let recorder = try CaptureRecorder(path: path, pool: pool)
        var configuration = VirtualWire.Configuration()
        configuration.bitsPerSecond = 1_000_000_000
        configuration.delay = .milliseconds(1)
        let wire = VirtualWire(configuration)
        for (host, end, mac) in [(client, wire.left, Self.clientMAC), (server, wire.right, Self.serverMAC)] {
          let recorded = RecordingLink(end, recorder: recorder, name: "\(host.name) eth0", macAddress: mac)
          let link = ObservedLink(recorded, by: observer)
          let addresses = [IPVersion.v4, .v6].map { version in
            AddressInSubnet(
              host === client ? Address.client(version) : Address.server(version),
              prefixLength: version == .v4 ? 24 : 64)
          }
          _ = try host.attach(link, macAddress: mac, addresses: addresses)
        }
        return Recorder(recorder)
      }
    } catch let error as LinkError {
      throw CommandFailure(error)
    }
  }

  /// A second wire between the hosts, for the transfer: faster, and not recorded.
  func plugInFastWire() throws {
    let (client, server) = (client, server)
    try loop.withPool { (_) throws in
      var configuration = VirtualWire.Configuration()
      configuration.bitsPerSecond = 10_000_000_000
      configuration.delay = .microseconds(50)
      let wire = VirtualWire(configuration)
      for (host, end) in [(client, wire.left), (server, wire.right)] {
        let addresses = [IPVersion.v4, .v6].map { version in
          AddressInSubnet(
            host === client ? Address.fastClient(version) : Address.fastServer(version),
            prefixLength: version == .v4 ? 24 : 64)
        }
        _ = try host.attach(end, addresses: addresses)
      }
    }
  }

  /// Runs `body` on the loop, and lets `settling` pass for what comes after it: delayed acknowledgements, closing.
  func act<T: Sendable>(
    settling: Duration = .milliseconds(300), _ body: @escaping @Sendable () async throws -> T
  ) throws -> T {
    let clock = loop.clock
    return try loop.runAndWait {
      let result = try await body()
      try await clock.sleep(for: settling)
      return result
    }
  }

  /// Writes the rest of the capture; how many frames it has, or nil if it could not be written.
  func finishRecording() -> Int? {
    let recorder = recorder
    return loop.sync {
      recorder.base.flush()
      return recorder.base.writeError == 0 ? Int(recorder.base.frames) : nil
    }
  }
}
