import MartletCore
import MartletWire

/// A description with everything worked out: who has which interfaces, addresses and routes.
struct WorldPlan {
  struct Interface {
    var name: String
    var mac: MACAddress
    var addresses: [AddressInSubnet]
    var link: Int
    /// 0 for the link's first end.
    var end: Int
  }

  struct Route {
    var destination: Subnet
    var gateway: IPAddress?
    var interface: Int
  }

  /// What a mistake is about, so that whoever read it from a file can say where.
  enum Subject: Hashable {
    case node(Int)
    case link(Int)
    case schedule(Int)
    case bridges
  }

  struct Mistake: Error {
    var error: WorldError
    var subject: Subject?
  }

  let description: WorldDescription
  var indices: [String: Int] = [:]
  var linkIndices: [String: Int] = [:]
  var interfaces: [[Interface]]
  var routes: [[Route]]
  /// By node and interface: the segment between routers that it is on.
  var domains: [[Int]]
  var domainCount = 0

  init(_ description: WorldDescription) throws(Mistake) {
    self.description = description
    interfaces = description.nodes.map { _ in [] }
    routes = description.nodes.map { _ in [] }
    domains = description.nodes.map { _ in [] }
    try nameNodes()
    try plugIn()
    try checkForRings()
    try checkSegments()
    findDomains()
    try giveAddresses()
    try checkAddresses()
    if description.computesRoutes { computeRoutes() }
    try addRoutesByHand()
    try checkSchedule()
    try checkMachines()
    try checkBridges()
  }

  func fail(_ subject: Subject?, _ problem: String, _ remedy: String) -> Mistake {
    Mistake(error: WorldError(problem, remedy: remedy), subject: subject)
  }
}
