package import MartletWire

/// Which of a host's addresses a packet comes from, and which of a name's addresses is tried first (RFC 6724).
package enum AddressSelection {
  /// An address of this host that a packet could come from.
  package struct Candidate: Hashable, Sendable, BitwiseCopyable {
    package var address: AddressInSubnet
    package var interface: InterfaceID
    /// Whether its preferred lifetime is over (RFC 4862 section 5.5.4).
    package var isDeprecated = false
    /// Whether it was made for privacy and for a short time (RFC 8981).
    package var isTemporary = false

    package init(
      _ address: AddressInSubnet, on interface: InterfaceID, isDeprecated: Bool = false, isTemporary: Bool = false
    ) {
      self.address = address
      self.interface = interface
      self.isDeprecated = isDeprecated
      self.isTemporary = isTemporary
    }
  }

  /// The source address for packets to `destination` that leave by `interface` (RFC 6724 section 5); nil if there is none.
  ///
  /// Tentative addresses must not be among the candidates. Of candidates that no rule tells apart the first wins.
  package static func source(
    for destination: IPAddress, leavingBy interface: InterfaceID, from candidates: Span<Candidate>,
    policy: AddressPolicy = .standard
  ) -> Candidate? {
    var best: Candidate?
    for index in candidates.indices {
      let candidate = candidates[index]
      guard isCandidate(candidate, for: destination, leavingBy: interface) else { continue }
      if let current = best {
        if isBetter(candidate, than: current, for: destination, leavingBy: interface, policy: policy) {
          best = candidate
        }
      } else {
        best = candidate
      }
    }
    return best
  }

  /// Section 4: the candidate set. What is only good on one link or inside the host stays there.
  private static func isCandidate(
    _ candidate: Candidate, for destination: IPAddress, leavingBy interface: InterfaceID
  ) -> Bool {
    let address = candidate.address.address
    guard address.version == destination.version, address.isUnicast else { return false }
    if address == destination { return true }
    if address.isLoopback && !destination.isLoopback && interface != .loopback { return false }
    let isBoundToLink = address.isLinkLocal || destination.isLinkLocal || destination.isMulticast
    return !isBoundToLink || candidate.interface == interface
  }

  /// Section 5: whether some rule prefers `a` to `b`. Rules 4 (home addresses), 5.5 and 7.1 have no meaning here.
  private static func isBetter(
    _ a: Candidate, than b: Candidate, for destination: IPAddress, leavingBy interface: InterfaceID,
    policy: AddressPolicy
  ) -> Bool {
    let left = a.address.address
    let right = b.address.address
    // Rule 1: the destination itself.
    if (left == destination) != (right == destination) { return left == destination }
    // Rule 2: the smallest scope that reaches the destination, or else the largest there is.
    let scope = destination.scope
    if left.scope != right.scope {
      return left.scope < right.scope ? left.scope >= scope : right.scope < scope
    }
    // Rule 3: not deprecated.
    if a.isDeprecated != b.isDeprecated { return !a.isDeprecated }
    // Rule 5: of the interface that the packet leaves by.
    if (a.interface == interface) != (b.interface == interface) { return a.interface == interface }
    // Rule 6: of the destination's label.
    let label = policy.entry(for: destination).label
    let hasLabel = policy.entry(for: left).label == label
    if hasLabel != (policy.entry(for: right).label == label) { return hasLabel }
    // Rule 7: temporary, for the sake of privacy.
    if a.isTemporary != b.isTemporary { return a.isTemporary }
    // Rule 8: the longest prefix in common, as far as the source's subnet goes.
    return commonPrefix(of: a, with: destination) > commonPrefix(of: b, with: destination)
  }

  private static func commonPrefix(of source: Candidate, with destination: IPAddress) -> Int {
    min(
      source.address.address.v6.commonPrefixLength(with: destination.v6),
      Int(source.address.mappedPrefixLength))
  }

  /// Puts the addresses of one name into the order in which they should be tried (RFC 6724 section 6).
  ///
  /// - Parameter source: the source address that packets to an address would have, nil if it cannot be reached.
  package static func order(
    _ destinations: inout [IPAddress], policy: AddressPolicy = .standard, source: (IPAddress) -> Candidate?
  ) {
    let sources = destinations.map(source)
    var order = Array(destinations.indices)
    // By insertion, so that what no rule tells apart stays as it was (rule 10).
    for end in order.indices.dropFirst() {
      var place = end
      while place > 0 {
        let right = order[place]
        let left = order[place - 1]
        guard comesBefore(destinations[right], sources[right], destinations[left], sources[left], policy) else { break }
        order.swapAt(place, place - 1)
        place -= 1
      }
    }
    destinations = order.map { [destinations] in destinations[$0] }
  }

  /// Whether some rule of section 6 prefers `a` to `b`. Rules 4 (home addresses) and 7 (tunnels) have no meaning here.
  private static func comesBefore(
    _ a: IPAddress, _ sourceOfA: Candidate?, _ b: IPAddress, _ sourceOfB: Candidate?, _ policy: AddressPolicy
  ) -> Bool {
    // Rule 1: one that can be reached.
    guard let sourceOfA else { return false }
    guard let sourceOfB else { return true }
    // Rule 2: one whose source has its scope.
    let sameScope = a.scope == sourceOfA.address.address.scope
    if sameScope != (b.scope == sourceOfB.address.address.scope) { return sameScope }
    // Rule 3: one whose source is not deprecated.
    if sourceOfA.isDeprecated != sourceOfB.isDeprecated { return !sourceOfA.isDeprecated }
    // Rule 5: one whose source has its label.
    let policyOfA = policy.entry(for: a)
    let policyOfB = policy.entry(for: b)
    let sameLabel = policyOfA.label == policy.entry(for: sourceOfA.address.address).label
    if sameLabel != (policyOfB.label == policy.entry(for: sourceOfB.address.address).label) { return sameLabel }
    // Rule 6: the greater precedence.
    if policyOfA.precedence != policyOfB.precedence { return policyOfA.precedence > policyOfB.precedence }
    // Rule 8: the smaller scope.
    if a.scope != b.scope { return a.scope < b.scope }
    // Rule 9: the longest prefix in common with its source, within one family.
    guard a.version == b.version else { return false }
    return commonPrefix(of: sourceOfA, with: a) > commonPrefix(of: sourceOfB, with: b)
  }
}
