import Martlet
import MartletCore
import MartletWire
import Testing

@testable import MartletLab

@Suite("A world in a file")
struct WorldFileTests {
  static let text = """
    name: two offices
    summary: A client, two routers and a server.
    seed: 7
    addresses: [10.0.0.0/8, "2001:db8::/32"]
    hosts:
      client: {tcp: {congestion control: reno, initial window: 4, pacing: no}}
      server:
        services: [echo, {uppercase: 8000}]
    routers:
      r1: {processing: 30 us}
      r2:
    switches:
      s1: {ageing: 60 s}
    links:
      - {wire: [client, s1], rate: 100 Mbit/s, delay: 5 us}
      - {wire: [s1, r1], rate: 100 Mbit/s, delay: 5 us}
      - wire: [r1, r2]
        name: middle
        rate: 10 Mbit/s
        delay: 10 ms
        queue: {frames: 50, codel: {target: 5 ms}, ecn: yes}
        there: {loss: 1 %, script: [{lose: [3], of: tcp-data, to port: 80}]}
        back: {loss: {to bad: 1 %, to good: 30 %}}
      - {wire: [r2, {server: 192.0.2.9/24}], jitter: {spread: 2 ms, distribution: normal, keeps order: no}}
    schedule:
      - {at: 10 s, down: middle}
      - {at: 20 s, up: middle}
      - {at: 30 s, partition: [client], from: [server], one-way: yes}
      - {at: 40 s, heal: yes}
    """

  /// The same, by hand.
  static var built: WorldDescription {
    var world = WorldDescription("two offices", summary: "A client, two routers and a server.", seed: 7)
    world.addressPools = ["10.0.0.0/8", "2001:db8::/32"]
    world.host("client") {
      $0.tuning.congestionControl = .newReno
      $0.tuning.initialWindow = 4
      $0.tuning.pacing = false
    }
    world.host("server", services: [.init("echo"), .init("uppercase", port: 8_000)])
    world.router("r1") { $0.processing = .microseconds(30) }
    world.router("r2")
    world.switch("s1") { $0.ageing = .seconds(60) }
    let lan = LinkDirection(rate: 100_000_000, delay: .microseconds(5))
    world.wire("client", "s1", lan)
    world.wire("s1", "r1", lan)
    var there = LinkDirection(
      rate: 10_000_000, delay: .milliseconds(10), queue: .init(maximumFrames: 50, .coDel(), marks: true))
    var back = there
    there.loss = .random(0.01)
    there.script = [ScriptedFault(.lose, [3], of: FramePattern(.tcpData, destinationPort: 80))]
    back.loss = .gilbertElliott(toBad: 0.01, toGood: 0.3)
    world.wire("r1", "r2", there: there, back: back, name: "middle")
    var last = LinkDirection()
    last.jitter = .init(.milliseconds(2), .normal, keepsOrder: false)
    world.wire("r2", .init("server", addresses: ["192.0.2.9/24"]), last)
    world.schedule = [
      .init(at: .seconds(10), .down(link: "middle")), .init(at: .seconds(20), .up(link: "middle")),
      .init(at: .seconds(30), .partition(["client"], from: ["server"], isOneWay: true)), .init(at: .seconds(40), .heal),
    ]
    return world
  }

  @Test("A file and the builder say the same")
  func same() throws {
    #expect(try WorldDescription(yaml: Self.text) == Self.built)
  }

  static let fabric = """
    name: fabric
    rings: allowed
    hosts: [a, b, c, d]
    switches:
      s1: {spanning tree: {priority: 4096, hello: 200 ms, maximum age: 2 s, forward delay: 1.5 s}}
      s2: {spanning tree: yes}
      s3: {spanning tree: no}
    segments:
      ether: {bus: {rate: 100 Mbit/s, attempts: 10}}
      air:
        wireless:
          rate: 11 Mbit/s
          control rate: 2 Mbit/s
          preamble: 96 us
          slot: 20 us
          short space: 10 us
          minimum window: 31
          maximum window: 511
          attempts: 4
          rts above: 500 B
          hidden: [[c, d], [c, s3]]
      plain:
    links:
      - {wire: [s1, s2], rate: 100 Mbit/s}
      - {wire: [s1, s2], rate: 100 Mbit/s}
      - {wire: [{a: {position: 1.5 km}}, ether]}
      - {wire: [{b: {addresses: 10.0.0.9/24, position: 500 m}}, ether], loss: 1 %}
      - {wire: [s1, ether]}
      - {wire: [c, air]}
      - {wire: [d, air]}
      - {wire: [s3, air], queue: {frames: 10}}
      - {wire: [s3, plain]}
    """

  /// The same, by hand.
  static var builtFabric: WorldDescription {
    var world = WorldDescription("fabric")
    world.allowsRings = true
    for name in ["a", "b", "c", "d"] { world.host(name) }
    world.switch("s1") {
      $0.spanningTree = SpanningTree(
        priority: 4_096, hello: .milliseconds(200), maximumAge: .seconds(2), forwardDelay: .milliseconds(1_500))
    }
    world.switch("s2") { $0.spanningTree = SpanningTree() }
    world.switch("s3")
    world.segment("ether", .bus(EthernetBus(rate: 100_000_000, attemptLimit: 10)))
    var cell = WirelessCell(
      rate: 11_000_000, controlRate: 2_000_000, requestThreshold: 500, hidden: [["c", "d"], ["c", "s3"]])
    cell.preamble = .microseconds(96)
    cell.slot = .microseconds(20)
    cell.shortSpace = .microseconds(10)
    cell.minimumContentionWindow = 31
    cell.maximumContentionWindow = 511
    cell.retryLimit = 4
    world.segment("air", .wireless(cell))
    world.segment("plain")
    for _ in 0..<2 { world.wire("s1", "s2", LinkDirection(rate: 100_000_000)) }
    world.wire(.init("a", position: 1_500), "ether")
    var lossy = LinkDirection()
    lossy.loss = .random(0.01)
    world.wire(.init("b", addresses: ["10.0.0.9/24"], position: 500), "ether", lossy)
    world.wire("s1", "ether")
    world.wire("c", "air")
    world.wire("d", "air")
    world.wire("s3", "air", LinkDirection(queue: .init(maximumFrames: 10)))
    world.wire("s3", "plain")
    return world
  }

  @Test("A file and the builder say the same of switches and segments, too")
  func sameFabric() throws {
    #expect(try WorldDescription(yaml: Self.fabric) == Self.builtFabric)
    _ = try World(Self.builtFabric)
  }

  @Test(
    "A mistake about switches and segments is told with its line and the way out",
    arguments: [
      (
        "hosts: [a]\nsegments: [e]\nlinks:\n  - {wire: [a, e], rate: 10 Mbit/s}",
        "world.yaml:4: The wire a-e leads to a segment and has a rate, a delay or a discipline of its own. Leave them "
          + "out: the segment has a rate, and stations have positions on it."
      ),
      (
        "segments: [e, f]\nlinks:\n  - {wire: [e, f]}",
        "world.yaml:3: The wire e-f joins two segments. Put a switch or a router between them."
      ),
      (
        "hosts: [a, b]\nlinks:\n  - {wire: [{a: {position: 5 m}}, b]}",
        "world.yaml:3: \"a\" has a place on a wire that is no segment. Leave the position out."
      ),
      (
        "hosts: [a]\nsegments:\n  w: {wireless: {}}\nlinks:\n  - {wire: [{a: {position: 5 m}}, w]}",
        "world.yaml:5: \"a\" cannot be at 5 m. Give stations on a bus a place from 0 m to 1000 km."
      ),
      (
        "hosts: [a]\nsegments:\n  e:\nlinks:\n  - wire:\n      - {a: {position: 5 miles}}\n      - e",
        "world.yaml:6: \"5 miles\" is no place on a cable. Write a number and m or km, as `500 m`."
      ),
      (
        "hosts: [alice]\nsegments:\n  w: {wireless: {hidden: [alcie]}}\nlinks:\n  - {wire: [alice, w]}",
        "world.yaml:3: \"alcie\" is hidden and not on \"w\". Did you mean \"alice\"?"
      ),
      (
        "segments:\n  w: {wireless: {minimum window: 31, maximum window: 15}}",
        "world.yaml:2: The segment \"w\" cannot be: its contention windows are not from 1 to 32767, the greater one "
          + "last. Give it more."
      ),
      ("segments:\n  w: {wirless: {}}", "world.yaml:2: A segment has no \"wirless\". Did you mean \"wireless\"?"),
      (
        "switches:\n  s: {spanning tree: {helo: 1 s}}",
        "world.yaml:2: A spanning tree has no \"helo\". Did you mean \"hello\"?"
      ),
      (
        "switches:\n  s: {spanning tree: {maximum age: 3 s}}",
        "world.yaml:2: The spanning tree of \"s\" cannot be: the maximum age is less than twice the hello time. Keep "
          + "hello, maximum age and forward delay in the proportions of 2 s, 20 s and 15 s."
      ),
      (
        "routers:\n  r: {spanning tree: yes}",
        "world.yaml:2: \"r\" is a router and has no spanning tree. Give it to switches."
      ),
      ("rings: fine", "world.yaml:1: Rings are not \"fine\". Write `allowed` or `refused`."),
      (
        "rings: allowed\nswitches: [s, t]\nlinks:\n  - {wire: [s, t]}\n  - {wire: [s, t], delay: 1 ms}",
        "world.yaml:4: In a world with rings the wire s-t takes no time, so that time would stand still. Give it a rate "
          + "or a delay."
      ),
      (
        "segments: [e]\nschedule:\n  - {at: 1 s, crash: e}",
        "world.yaml:3: \"e\" is a segment. Name a host, a router or a switch."
      ),
    ])
  func fabricMistakes(_ text: String, _ words: String) { mistakes(text, words) }

  @Test("A world from a file runs")
  func runs() throws {
    let world = try World(WorldDescription(yaml: Self.text))
    let client = try world.host("client")
    let answer = try world.runAndWait { () -> String in
      let connection = try await client.connect(to: SocketAddress("192.0.2.9", port: 8_000))
      defer { connection.close() }
      try await connection.write("from a file")
      return String(decoding: try await connection.read(), as: UTF8.self)
    }
    #expect(answer == "FROM A FILE")
    #expect("\(try world.address(of: "client", .v6))" == "2001:db8::2")
  }

  @Test(
    "A mistake is told with its line and the way out",
    arguments: [
      ("hosts: {a: }\nlinks:\n  - {wire: [a, bee]}", "world.yaml:3: There is no node called \"bee\". There are a."),
      (
        "hosts: [client, server]\nlinks:\n  - {wire: [client, servre]}",
        "world.yaml:3: There is no node called \"servre\". Did you mean \"server\"?"
      ),
      (
        "hosts: [a, b]\nlinks:\n  - {wire: [a, b], rate: 10}",
        "world.yaml:3: \"10\" is no rate. Write a number and bit/s, kbit/s, Mbit/s or Gbit/s, as `10 Mbit/s`."
      ),
      (
        "hosts: [a, b]\nlinks:\n  - {wire: [a, b], dealy: 10 ms}",
        "world.yaml:3: A link has no \"dealy\". Did you mean \"delay\"?"
      ),
      (
        "hosts: [a, b, c]\nlinks:\n  - {wire: [a, b, c]}",
        "world.yaml:3: A wire has two ends, not 3. Write `wire: [one, other]`; more nodes share a switch or a segment."
      ),
      ("hosts: [a, a]", "world.yaml:1: Two nodes are called \"a\". Give one of them another name."),
      (
        "hosts:\n  a: {services: [ehco]}",
        "world.yaml:2: There is no service called \"ehco\". Known are echo, discard, daytime, chargen, uppercase, http."
      ),
      (
        "routers:\n  r: {services: [echo]}",
        "world.yaml:2: \"r\" is a router and cannot run a service. Run it on a host: routers forward and offer no sockets to programs."
      ),
      (
        "hosts: [a]\nswitches: [s]\nlinks:\n  - {wire: [a, {s: 10.0.0.1/8}]}",
        "world.yaml:4: \"s\" is a switch and has no addresses. Give them to the hosts and routers on it."
      ),
      (
        "hosts: [a, b]\nlinks:\n  - {wire: [{a: 10.0.0.1/8}, {b: 10.0.0.1/8}]}",
        "world.yaml:3: 10.0.0.1 is given to \"a\" and to \"b\". Give one of them another address."
      ),
      (
        "hosts: [a, b]\nlinks:\n  - {wire: [a, b], loss: 120 %}",
        "world.yaml:3: \"120 %\" is no probability. Write `1 %`, or a number from 0 to 1."
      ),
      ("hosts: [a]\nschedule:\n  - {at: 1 s, crash: b}", "world.yaml:3: There is no node called \"b\". There are a."),
      (
        "hosts: [a\n",
        "world.yaml:2: This is not YAML: did not find expected ',' or ']'. Check the indentation, brackets and quotes there."
      ),
      (
        "switches: [s, t, u]\nlinks:\n  - {wire: [s, t]}\n  - {wire: [t, u]}\n  - {wire: [u, s]}",
        "world.yaml:5: The wire u-s closes a ring of switches, in which frames circle for ever. Give all switches of "
          + "the ring a spanning tree, put a router into it, or allow rings to watch the storm."
      ),
      ("hosts: [a]\nlinks:\n  - {wire: [a, a]}", "world.yaml:3: The wire leads from \"a\" to itself. Name two nodes."),
    ])
  func mistakes(_ text: String, _ words: String) {
    do throws(WorldError) {
      _ = try WorldDescription(yaml: text, file: "world.yaml")
      Issue.record("no mistake was found")
    } catch {
      #expect("\(error)" == words)
    }
  }

  @Test("A program on a router or a switch is a mistake that says so")
  func programs() throws {
    var description = WorldDescription("boxes")
    description.host("h")
    description.router("r")
    description.switch("s")
    description.wire("h", "s")
    description.wire("s", "r")
    let world = try World(description)
    for (name, kind) in [("r", "router"), ("s", "switch")] {
      do throws(WorldError) {
        try world.application(on: name) { _ in }
        Issue.record("a \(kind) took a program")
      } catch {
        #expect(
          "\(error)".hasPrefix("\"\(name)\" is a \(kind) and offers no sockets to programs. Run the program on a host"))
      }
    }
    try world.application(on: "h") { _ in }
  }
}
