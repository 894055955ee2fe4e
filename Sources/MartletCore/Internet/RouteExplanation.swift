public import MartletWire

/// Why a packet takes the route it takes: what was tested on the way down the route table, and what came of it.
public struct RouteExplanation: Equatable, Sendable, CustomStringConvertible {
  /// What became of a route that was tested.
  public enum Verdict: Equatable, Sendable {
    /// The packet takes it.
    case won
    /// The destination lies in its block, but in a smaller one as well.
    case shorterPrefix
    /// Another route to the same block has a smaller metric, or the same and came first.
    case greaterMetric
    /// Its gateway did not answer lately, and another route to the same block has a gateway that does.
    case gatewaySilent
    /// Its interface is down.
    case interfaceDown
    /// It leads over another interface than the one that was asked for.
    case otherInterface
    /// The destination does not lie in its block.
    case doesNotMatch
  }

  /// A route that was tested.
  public struct Step: Equatable, Sendable {
    public var route: Route
    public var verdict: Verdict
  }

  public var destination: IPAddress
  /// The routes that were tested, in order: shorter prefixes first.
  public var steps: [Step] = []
  /// The route that won; nil if none leads there.
  public var route: Route?

  init(destination: IPAddress) { self.destination = destination }

  /// The explanation with interfaces by number.
  public var description: String { description { "interface \($0.index)" } }

  /// The explanation, one line for each route that was tested and one for the result.
  ///
  /// - Parameter name: what an interface is called.
  public func description(naming name: (InterfaceID) -> String) -> String {
    var text = "\(destination)\n"
    for step in steps {
      text += "  \(step.route.destination) \(Self.way(step.route, name)): \(Self.reason(step, destination))\n"
    }
    if let route {
      text += "  -> \(Self.way(route, name))"
      if let source = route.preferredSource { text += ", from \(source)" }
    } else {
      text += "  -> no route"
    }
    return text
  }

  private static func way(_ route: Route, _ name: (InterfaceID) -> String) -> String {
    switch route.nextHop {
    case .onLink: "on \(name(route.interface))"
    case .gateway(let gateway): "via \(gateway) on \(name(route.interface))"
    }
  }

  private static func reason(_ step: Step, _ destination: IPAddress) -> String {
    switch step.verdict {
    case .won: "matches \(step.route.destination.prefixLength) bits, the longest prefix that does"
    case .shorterPrefix: "matches \(step.route.destination.prefixLength) bits, a longer prefix does too"
    case .greaterMetric: "matches, metric \(step.route.metric) does not come first"
    case .gatewaySilent: "matches, its gateway does not answer"
    case .interfaceDown: "matches, its interface is down"
    case .otherInterface: "matches, but leads over another interface"
    case .doesNotMatch: "does not match"
    }
  }
}
