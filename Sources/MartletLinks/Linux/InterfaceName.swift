#if os(Linux)
  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #endif

  /// Names of the kernel's interfaces, and what to run when one cannot be used.
  enum InterfaceName {
    /// IFNAMSIZ, the zero at the end included.
    static let capacity = 16

    static func isValid(_ name: String) -> Bool {
      let bytes = name.utf8
      return !bytes.isEmpty && bytes.count < capacity && name != "." && name != ".."
        && !bytes.contains { $0 == 0 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "%") || isSpace($0) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    static func remedyForTAP(_ name: String) -> String {
      "sudo ip tuntap add dev \(name) mode tap user $USER && sudo ip link set \(name) up"
    }

    static func error(_ number: CInt, _ operation: String, _ name: String, _ remedy: String) -> LinkError {
      number == EPERM || number == EACCES
        ? .notPermitted(device: name, operation: operation, remedy: remedy)
        : .system(operation: operation, device: name, errno: number)
    }

    /// Calls `body` with `name` in ``capacity`` bytes of its own, where the kernel writes the name that it gave.
    static func withMemory(of name: String, _ body: (UnsafeMutablePointer<CChar>) -> CInt) -> CInt {
      unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
        unsafe buffer.initialize(repeating: 0)
        for (index, byte) in name.utf8.prefix(capacity - 1).enumerated() {
          unsafe buffer[index] = CChar(bitPattern: byte)
        }
        guard let base = buffer.baseAddress else { return -EINVAL }
        return unsafe body(base)
      }
    }
  }
#endif
