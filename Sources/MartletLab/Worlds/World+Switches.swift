import Martlet
public import MartletWire

extension World {
  /// What a switch makes of the spanning tree.
  public struct TreeView: Sendable, Equatable {
    /// Who the switch is among switches.
    public var bridge: BridgeID
    /// Whom it takes for the root.
    public var root: BridgeID
    /// What its way to the root costs; 0 for the root itself.
    public var rootPathCost: UInt32
    /// Whether stations that are not heard are forgotten early, because the tree changes.
    public var isChanging: Bool
    /// In the order in which wires were plugged in.
    public var ports: [Port]

    /// A port and its part in the tree.
    public struct Port: Sendable, Equatable {
      /// As "port0".
      public var name: String
      /// The node at the other end of its wire.
      public var neighbor: String
      /// "root", "designated", "blocked" or "disabled".
      public var role: String
      /// "disabled", "blocking", "listening", "learning" or "forwarding".
      public var state: String
    }
  }

  /// What the switch called `name` makes of the spanning tree.
  ///
  /// - Throws: ``WorldError`` if it is no switch, or one without a spanning tree.
  public func spanningTree(of name: String) throws(WorldError) -> TreeView {
    let index = try index(of: name)
    let core = core
    guard description.nodes[index].spanningTree != nil else {
      throw WorldError(
        "\"\(name)\" has no spanning tree", remedy: "Give it one: `switch(\"…\") { $0.spanningTree = SpanningTree() }`."
      )
    }
    return loop.sync {
      guard let tree = core.switches[index]?.tree else {
        return TreeView(
          bridge: BridgeID(priority: 0, address: .zero), root: BridgeID(priority: 0, address: .zero), rootPathCost: 0,
          isChanging: false, ports: [])
      }
      let bridge = tree.bridge
      return TreeView(
        bridge: bridge.id, root: bridge.designatedRoot, rootPathCost: bridge.rootPathCost,
        isChanging: bridge.isTopologyChange,
        ports: tree.rows.map { TreeView.Port(name: $0[0], neighbor: $0[1], role: $0[2], state: $0[3]) })
    }
  }
}
