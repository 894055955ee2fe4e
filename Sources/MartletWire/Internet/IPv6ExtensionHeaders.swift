/// What stands between an IPv6 header and the upper layer (RFC 8200 section 4): a walk over the chain of hop-by-hop
/// options, destination options, routing and fragment headers, which notes what a host has to know.
///
///     +---------------+---------------+------------------------------
///     |  next header  |    length     |  8 × (length + 1) bytes in all …
///     +---------------+---------------+------------------------------
///
/// Offsets count from the start of the IPv6 header, as ICMPv6 parameter problems do.
public struct IPv6ExtensionHeaders: Equatable, Sendable, BitwiseCopyable {
  /// How much of a chain is worth reading (RFC 8504 section 5.3).
  public struct Limits: Equatable, Sendable, BitwiseCopyable {
    /// The most extension headers.
    public var headers: Int
    /// The most options in one header, padding not counted.
    public var options: Int

    @inlinable
    public init(headers: Int = 8, options: Int = 8) {
      self.headers = headers
      self.options = options
    }
  }

  /// What follows the chain. ``IPProtocol/noNextHeader`` if nothing does.
  public internal(set) var upperProtocol: IPProtocol
  /// Where the upper layer begins, in bytes.
  public internal(set) var upperOffset: Int
  /// Where the next-header field stands that names ``upperProtocol``: what a parameter problem about an unknown
  /// protocol points at.
  public internal(set) var upperProtocolFieldOffset: Int
  /// The fragment header, if there is one. The walk ends at it unless the fragment is the first one.
  public internal(set) var fragment: IPv6FragmentHeader?
  /// Where the fragment header begins; 0 without one. Before it is the part that every fragment repeats.
  public internal(set) var fragmentHeaderOffset: Int
  /// Where the next-header field stands that names the fragment header; 0 without one.
  public internal(set) var fragmentFieldOffset: Int
  /// The first routing header, if there is one.
  public internal(set) var routing: IPv6RoutingHeader?
  /// The value of a router-alert option (RFC 2711).
  public internal(set) var routerAlert: UInt16?
  /// What forbids the packet to be processed, if something does; the walk ends at it.
  public internal(set) var problem: IPv6HeaderProblem?
}

/// The part of a routing header that all its types share (RFC 8200 section 4.4).
public struct IPv6RoutingHeader: Equatable, Sendable, BitwiseCopyable {
  public var type: UInt8
  public var segmentsLeft: UInt8
  /// Where the header begins, in bytes from the start of the IPv6 header.
  public var offset: Int

  /// Whether this is the source route that RFC 5095 deprecates.
  public var isDeprecatedSourceRoute: Bool { type == 0 }

  @inlinable
  public init(type: UInt8, segmentsLeft: UInt8, offset: Int) {
    self.type = type
    self.segmentsLeft = segmentsLeft
    self.offset = offset
  }
}

/// Why a packet must not be processed, and whom to tell.
public struct IPv6HeaderProblem: Equatable, Sendable, BitwiseCopyable {
  /// The code of the ICMPv6 parameter problem (RFC 4443 section 3.4).
  public enum Code: UInt8, Sendable, BitwiseCopyable {
    case erroneousHeaderField = 0
    case unrecognizedNextHeader = 1
    case unrecognizedOption = 2
    /// RFC 8883 section 3.3: more headers than the node is willing to read.
    case tooManyExtensionHeaders = 6
    /// RFC 8883 section 3.6: more options than the node is willing to read.
    case tooManyOptions = 9
  }

  /// What to do: the two high bits of an unrecognized option (RFC 8200 section 4.2).
  public enum Action: UInt8, Sendable, BitwiseCopyable {
    case skip = 0
    case discard = 1
    /// Discard, and tell the source even if the packet went to a multicast address.
    case discardAndReport = 2
    /// Discard, and tell the source unless the packet went to a multicast address.
    case discardAndReportUnlessMulticast = 3
  }

  public var code: Code
  /// The byte at fault, from the start of the IPv6 header.
  public var pointer: Int
  public var action: Action

  @inlinable
  public init(code: Code, pointer: Int, action: Action) {
    self.code = code
    self.pointer = pointer
    self.action = action
  }
}

extension IPv6ExtensionHeaders {
  /// Whether `nextHeader` is a header that the walk reads; if it is not, there is nothing to walk over.
  @inlinable
  public static func isExtension(_ nextHeader: IPProtocol) -> Bool {
    switch nextHeader.value {
    case 0, 43, 44, 60: true
    default: false
    }
  }

  /// Walks over the headers that follow `header` in `packet`, whose first byte is the IPv6 header's first. Bytes past
  /// the payload length are not read.
  ///
  /// - Throws: ``WireError/truncated`` if a header runs past the end of the packet, ``WireError/malformed(field:)`` if an
  ///   option runs past the end of its header.
  @inlinable
  public init(of header: IPv6Header, in packet: RawSpan, limits: Limits = Limits()) throws(WireError) {
    self.init(upperProtocol: header.nextHeader)
    if Self.isExtension(header.nextHeader) {
      let end = IPv6Header.byteCount + Int(header.payloadLength)
      guard packet.byteCount >= end else { throw .truncated }
      try walk(packet.extracting(first: end), limits: limits)
    }
  }

  @usableFromInline
  init(upperProtocol: IPProtocol) {
    self.upperProtocol = upperProtocol
    upperOffset = IPv6Header.byteCount
    upperProtocolFieldOffset = IPv6Header.nextHeaderOffset
    fragmentHeaderOffset = 0
    fragmentFieldOffset = 0
  }

  @usableFromInline
  mutating func walk(_ bytes: RawSpan, limits: Limits) throws(WireError) {
    var count = 0
    while Self.isExtension(upperProtocol) {
      let start = upperOffset
      // RFC 8200 section 4.1: hop-by-hop options stand right behind the IPv6 header or nowhere.
      if upperProtocol == .hopByHopOptions && start != IPv6Header.byteCount {
        note(.unrecognizedNextHeader, at: upperProtocolFieldOffset)
        return
      }
      guard count < limits.headers else {
        note(.tooManyExtensionHeaders, at: start)
        return
      }
      count += 1
      guard start + 8 <= bytes.byteCount else { throw .truncated }
      if upperProtocol == .fragment {
        let fragment = try IPv6FragmentHeader(parsing: bytes.extracting(start..<start + 8))
        if self.fragment != nil {
          note(.unrecognizedNextHeader, at: upperProtocolFieldOffset)
          return
        }
        self.fragment = fragment
        fragmentHeaderOffset = start
        fragmentFieldOffset = upperProtocolFieldOffset
        advance(to: start + 8, from: start, next: fragment.nextHeader)
        // The rest of the chain, if any, is in the first fragment (RFC 7112).
        if fragment.fragmentOffset != 0 { return }
        continue
      }
      let length = 8 * (Int(bytes.bigEndian(at: start + 1, as: UInt8.self)) + 1)
      guard start + length <= bytes.byteCount else { throw .truncated }
      if upperProtocol == .routing {
        readRouting(bytes, at: start)
      } else {
        let isHopByHop = upperProtocol == .hopByHopOptions
        try readOptions(bytes, from: start + 2, to: start + length, isHopByHop: isHopByHop, limit: limits.options)
      }
      if problem != nil { return }
      advance(to: start + length, from: start, next: IPProtocol(value: bytes.bigEndian(at: start)))
    }
  }

  private mutating func advance(to end: Int, from start: Int, next: IPProtocol) {
    upperProtocolFieldOffset = start
    upperOffset = end
    upperProtocol = next
  }

  private mutating func note(
    _ code: IPv6HeaderProblem.Code, at pointer: Int, action: IPv6HeaderProblem.Action = .discardAndReportUnlessMulticast
  ) {
    problem = IPv6HeaderProblem(code: code, pointer: pointer, action: action)
  }

  private mutating func readRouting(_ bytes: RawSpan, at start: Int) {
    let header = IPv6RoutingHeader(
      type: bytes.bigEndian(at: start + 2), segmentsLeft: bytes.bigEndian(at: start + 3), offset: start)
    if routing == nil { routing = header }
    // RFC 8200 section 4.4: no type is recognized here, and type 0 must be treated as unrecognized (RFC 5095).
    if header.segmentsLeft != 0 { note(.erroneousHeaderField, at: start + 2) }
  }

  private mutating func readOptions(
    _ bytes: RawSpan, from start: Int, to end: Int, isHopByHop: Bool, limit: Int
  ) throws(WireError) {
    var offset = start
    var count = 0
    while offset < end {
      let type: UInt8 = bytes.bigEndian(at: offset)
      if type == 0 {
        offset += 1
        continue
      }
      guard offset + 2 <= end else { throw .malformed(field: "option length") }
      let length = Int(bytes.bigEndian(at: offset + 1, as: UInt8.self))
      guard offset + 2 + length <= end else { throw .malformed(field: "option length") }
      if type != 1 {
        count += 1
        guard count <= limit else {
          note(.tooManyOptions, at: offset)
          return
        }
        if type == 5 && isHopByHop && length == 2 {
          routerAlert = bytes.bigEndian(at: offset + 2)
        } else if let action = IPv6HeaderProblem.Action(rawValue: type >> 6), action != .skip {
          note(.unrecognizedOption, at: offset, action: action)
          return
        }
      }
      offset += 2 + length
    }
  }
}
