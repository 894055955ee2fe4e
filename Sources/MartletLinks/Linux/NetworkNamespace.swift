#if os(Linux)
  import CMartletLinux

  /// A network of the system's own, with nothing in it but a loopback device that is down.
  package enum NetworkNamespace {
    /// Puts the calling thread, and threads that it starts later, into a fresh one; needs CAP_SYS_ADMIN.
    package static func enter() throws(LinkError) {
      let result = martlet_network_namespace_enter()
      if result < 0 { throw .system(operation: "make a network namespace", device: "-", errno: -result) }
    }
  }
#endif
