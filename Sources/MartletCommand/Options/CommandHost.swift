import Martlet
import MartletCore
import MartletLinks
import MartletWire

/// A host as the options describe it, on a loop of its own in real time.
struct CommandHost {
  let loop = Loop(.real)
  let host: VirtualHost
  let interface: InterfaceID
  private let recording: Recording?

  /// Puts up the host and attaches it.
  init(_ options: NetworkOptions) throws {
    host = loop.host("martlet")
    let host = host
    let loop = loop
    do {
      (interface, recording) = try loop.withPool { (pool) throws -> (InterfaceID, Recording?) in
        var recording: Recording?
        if let path = options.record {
          let epoch = CaptureRecorder.epoch(at: loop.now)
          recording = Recording(try CaptureRecorder(path: path, epoch: epoch, pool: pool))
        }
        let link = try Self.link(options, pool, recording)
        let interface = try host.attach(link, macAddress: options.stationAddress, mtu: options.mtu)
        return (interface, recording)
      }
    } catch let error as LinkError {
      throw CommandFailure(error)
    }
    for address in options.address {
      do throws(SocketError) {
        try host.addAddress(address, to: interface)
      } catch {
        // Its own link-local address the host has already.
        if address.address.isLinkLocal, error == .addressInUse { continue }
        throw CommandFailure(.usage, "--address \(address): \(error)")
      }
    }
    for gateway in options.gateway {
      do {
        try host.addDefaultRoute(via: gateway, on: interface)
      } catch {
        throw CommandFailure(.usage, "the gateway \(gateway) is on none of the subnets given by --address")
      }
    }
  }

  /// Writes what is still to be recorded, and ends the loop.
  func finish() {
    if let recording { loop.sync { recording.recorder.flush() } }
    loop.shutdown()
  }

  /// The recorder, which the loop's thread alone uses.
  private final class Recording: @unchecked Sendable {
    let recorder: CaptureRecorder
    init(_ recorder: CaptureRecorder) { self.recorder = recorder }
  }

  private static func link(
    _ options: NetworkOptions, _ pool: borrowing PacketPool, _ recording: Recording?
  ) throws(LinkError) -> any Link {
    var link: any Link
    var name = "eth0"
    if let tap = options.tap {
      var configuration = TAP.Configuration(name: tap)
      configuration.createsDevice = true
      configuration.bringsUp = true
      link = try TAP(configuration, pool: pool)
      name = tap
    } else if let device = options.interface {
      link = try PacketSocket(PacketSocket.Configuration(name: device), pool: pool)
      name = device
    } else {
      // A wire that leads nowhere: the host is reached by published ports.
      let wire = VirtualWire()
      wire.isConnected = false
      link = wire.left
    }
    if let recorder = recording?.recorder {
      link = RecordingLink(link, recorder: recorder, name: name, macAddress: options.stationAddress)
    }
    if options.drop > 0 || options.reorder > 0 {
      let weather = ImpairedLink.Impairment(loss: options.drop / 100, reordering: options.reorder / 100)
      link = ImpairedLink(
        link, outbound: weather, inbound: weather, seed: options.seed, name: name, pool: pool)
    }
    return link
  }
}

extension CommandFailure {
  /// What a link's error means for a person at a terminal.
  init(_ error: LinkError) {
    switch error {
    case .notPermitted(let device, let operation, let remedy):
      self.init(.noPermission, "no permission to \(operation) \(device)", remedy: "Run this first: \(remedy)")
    case .noSuchDevice(let device, let remedy):
      self.init(.noDevice, "there is no device \(device)", remedy: "Run this first: \(remedy)")
    case .invalidName: self.init(.usage, "\(error)")
    case .busy, .wrongKind, .unsupported: self.init(.noDevice, "\(error)")
    case .system(let operation, _, _): self.init(operation == "create" ? .cannotCreate : .noDevice, "\(error)")
    }
  }
}
