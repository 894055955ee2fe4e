public import MartletLab

/// A fault that lasts as long as this value: it ends when ``heal()`` is called, and at the latest when the value's scope is left, by
/// an error too.
public struct FaultGuard: ~Copyable, Sendable {
  private let end: @Sendable () -> Void

  init(_ world: World, _ fault: GuardedFault) throws(WorldError) { end = try world.begin(fault) }

  /// Ends the fault now.
  public consuming func heal() {}

  deinit { end() }
}

extension World {
  /// Keeps everything that nodes of `left` send from nodes of `right`, and the other way round, while the guard lives.
  ///
  /// - Parameters:
  ///   - right: Nil: all other hosts and routers.
  ///   - oneWay: Whether what `right` sends reaches `left`.
  /// - Throws: ``WorldError`` if a node is not there, on both sides, or a switch.
  public func partition(
    _ left: [String], from right: [String]? = nil, oneWay: Bool = false
  ) throws(WorldError) -> FaultGuard {
    let right =
      right
      ?? description.nodes.filter { ($0.kind == .host || $0.kind == .router) && !left.contains($0.name) }.map(\.name)
    return try FaultGuard(self, .partition(left, from: right, isOneWay: oneWay))
  }

  /// Takes the link called `name` down while the guard lives: what is sent on it is lost.
  public func down(_ name: String) throws(WorldError) -> FaultGuard { try FaultGuard(self, .down(link: name)) }

  /// Holds back what the link called `name` carries while the guard lives; then all of it arrives.
  public func hold(_ name: String) throws(WorldError) -> FaultGuard { try FaultGuard(self, .hold(link: name)) }

  /// Crashes the host called `name`: its memory, sockets and programs are gone. It and its programs start again when the guard ends.
  public func crash(_ name: String) throws(WorldError) -> FaultGuard { try FaultGuard(self, .crash(name)) }

  /// Lets the host called `name` stand still while the guard lives.
  public func pause(_ name: String) throws(WorldError) -> FaultGuard { try FaultGuard(self, .pause(name)) }

  /// Lets the link called `name` do other things to frames while the guard lives; then it does what it did before.
  ///
  /// - Parameters:
  ///   - change: Makes of what each direction does now what it is to do.
  public func impair(_ name: String, _ change: (inout LinkDirection) -> Void) throws(WorldError) -> FaultGuard {
    var (there, back) = try directions(of: name)
    change(&there)
    change(&back)
    return try impair(name, there: there, back: back)
  }

  /// As ``impair(_:_:)``; nil leaves a direction as it is.
  public func impair(
    _ name: String, there: LinkDirection? = nil, back: LinkDirection? = nil
  ) throws(WorldError) -> FaultGuard {
    try FaultGuard(self, .impair(link: name, there: there, back: back))
  }
}

extension World {
  /// Runs `body` while `left` and `right` are kept apart: ``partition(_:from:oneWay:)``.
  public func partition<T>(
    _ left: [String], from right: [String]? = nil, oneWay: Bool = false, _ body: () async throws -> T
  ) async throws -> T {
    try await Self.run(body, under: partition(left, from: right, oneWay: oneWay))
  }

  /// Runs `body` while the link called `name` is down.
  public func down<T>(_ name: String, _ body: () async throws -> T) async throws -> T {
    try await Self.run(body, under: down(name))
  }

  /// Runs `body` while the link called `name` holds back what it carries.
  public func hold<T>(_ name: String, _ body: () async throws -> T) async throws -> T {
    try await Self.run(body, under: hold(name))
  }

  /// Runs `body` while the host called `name` is crashed.
  public func crash<T>(_ name: String, _ body: () async throws -> T) async throws -> T {
    try await Self.run(body, under: crash(name))
  }

  /// Runs `body` while the host called `name` stands still.
  public func pause<T>(_ name: String, _ body: () async throws -> T) async throws -> T {
    try await Self.run(body, under: pause(name))
  }

  /// Runs `body` while the link called `name` does other things to frames: ``impair(_:_:)``.
  public func impair<T>(
    _ name: String, _ change: (inout LinkDirection) -> Void, _ body: () async throws -> T
  ) async throws -> T {
    try await Self.run(body, under: impair(name, change))
  }

  private static func run<T>(_ body: () async throws -> T, under fault: consuming FaultGuard) async throws -> T {
    let result = try await body()
    fault.heal()
    return result
  }
}
