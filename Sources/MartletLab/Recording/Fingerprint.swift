/// A rolling hash over all that a run left behind; equal recordings have equal ones, in every process.
struct FingerprintHash {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ number: UInt64) {
    value = (value ^ number) &* 0x9fb2_1c65_1e98_df25
    value ^= value >> 32
  }

  mutating func add(_ number: Int64) { add(UInt64(bitPattern: number)) }
  mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }
  mutating func add(_ number: Int?) { add(number ?? -1) }

  mutating func add(_ text: String) {
    add(text.utf8.count)
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  }

  mutating func add(_ bytes: [UInt8]) {
    add(bytes.count)
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  }
}

extension Recording {
  /// A number that two runs share if, and for all that can be expected only if, they left the same behind.
  public var fingerprint: UInt64 {
    var hash = FingerprintHash()
    hash.add(name)
    hash.add(seed)
    hash.add(duration)
    for node in nodes {
      hash.add(node.name + node.kind.rawValue)
      for interface in node.interfaces {
        hash.add(interface.name + interface.mac + interface.addresses.joined(separator: " "))
      }
    }
    for frame in frames {
      hash.add(frame.link * 64 + frame.end)
      hash.add(frame.queued)
      hash.add(frame.departure)
      hash.add(frame.arrival)
      if case .lost(let reason) = frame.fate { hash.add(reason) }
      hash.add(frame.bytes)
      hash.add(frame.flow)
      hash.add(frame.origin)
      hash.add(frame.cause)
      hash.add(frame.comment)
    }
    for event in events {
      hash.add(event.time)
      hash.add(event.node)
      hash.add(event.kind)
      hash.add(event.text)
      hash.add(event.cause)
    }
    for flow in flows {
      hash.add(flow.name)
      for sample in flow.samples {
        hash.add(sample.time)
        hash.add(sample.congestionWindow)
        hash.add(sample.inFlight)
        hash.add(sample.roundTrip)
      }
    }
    for table in tables {
      hash.add(table.time)
      for row in table.rows { hash.add(row.joined(separator: "\t")) }
    }
    for queue in queues {
      hash.add(queue.time)
      hash.add(queue.frames)
      hash.add(queue.bytes)
    }
    for counter in counters {
      hash.add(counter.name)
      hash.add(counter.value)
    }
    return hash.value
  }
}
