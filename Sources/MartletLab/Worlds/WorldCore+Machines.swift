import Martlet
import MartletCore

// Machines that are slow, forgetful of frames, or wrong about the time.

extension WorldCore {
  /// Gives node `node` what it needs to be slow, and its interfaces a place where frames wait; nothing if it is ideal.
  func setUpProcessor(of node: Int) {
    let description = plan.description.nodes[node]
    let processor = NodeProcessor()
    processor.latency = max(0, description.processing.inNanoseconds)
    processor.set(description.cpu)
    if let ring = description.ring { processor.ring = max(1, ring) }
    if !processor.isIdeal { install(processor, on: node) }
  }

  private func install(_ processor: NodeProcessor, on node: Int) {
    processors[node] = processor
    for lane in incoming(node) where lane.intake == nil { lane.intake = Intake(processor) }
  }

  /// The ways that lead to `node`, by interface.
  func incoming(_ node: Int) -> [Lane] {
    plan.interfaces[node].map { lanes[$0.link * 2 + 1 - $0.end] }
  }

  private func processor(of node: Int) -> NodeProcessor {
    if let known = processors[node] { return known }
    let processor = NodeProcessor()
    install(processor, on: node)
    return processor
  }

  func setProcessor(of name: String, _ cpu: WorldDescription.Processor) {
    guard let node = plan.indices[name] else { return }
    processor(of: node).set(cpu)
    note(cpu.words.isEmpty ? "works as fast as it receives again" : "is slow now: \(cpu.words)", node)
  }

  func setRing(of name: String, _ ring: Int?) {
    guard let node = plan.indices[name] else { return }
    processor(of: node).ring = ring.map { max(1, $0) } ?? .max
    note(ring.map { "keeps \($0) received frames an interface at most" } ?? "keeps all frames that it receives", node)
  }

  func setClock(of name: String, _ fault: ClockFault) {
    guard let node = plan.indices[name], let host = hosts[node] else { return }
    host.setClockFault(fault)
    note(fault.words.isEmpty ? "has a right clock from now on" : "has a wrong clock: \(fault.words)", node)
  }

  /// Sets clocks wrong that are so from the beginning.
  func setClocks() {
    for (node, description) in plan.description.nodes.enumerated() where description.clock != ClockFault() {
      setClock(of: plan.description.nodes[node].name, description.clock)
    }
  }

  func pauseProcessor(of node: Int) { processors[node]?.pause(at: loop.now.nanoseconds) }

  func resumeProcessor(of node: Int) {
    guard let (time, span) = processors[node]?.resume(at: loop.now.nanoseconds) else { return }
    for lane in incoming(node) { lane.intake?.delay(after: time, by: span) }
  }

  /// Frames that it had received are gone with its memory.
  func resetProcessor(of node: Int) {
    guard let processor = processors[node] else { return }
    for lane in incoming(node) { lane.emptyIntake("its receiver is gone", at: loop.now) }
    processor.reset()
  }

  /// What the interfaces' rings did, for the recording.
  func ringCounters(of node: Int) -> [Recording.Counter] {
    zip(plan.interfaces[node], incoming(node)).flatMap { interface, lane -> [Recording.Counter] in
      guard let intake = lane.intake, intake.processor.ring < .max else { return [] }
      return [
        Recording.Counter(node: node, name: "\(interface.name) dropped: receive ring full", value: intake.dropped),
        Recording.Counter(
          node: node, name: "\(interface.name) most frames in the receive ring", value: UInt64(intake.mostWaiting)),
      ]
    }
  }
}

extension WorldDescription.Processor {
  /// As "20 µs a frame and 8 ns a byte"; empty if it takes no time.
  var words: String {
    var words: [String] = []
    if perFrame > .zero { words.append("\(perFrame.words) a frame") }
    if perByte > .zero { words.append("\(perByte.words) a byte") }
    return words.joined(separator: " and ")
  }
}

extension ClockFault {
  /// As "3 s ahead, 100 ppm fast"; empty if it is right.
  var words: String {
    var words: [String] = []
    if skew != .zero {
      words.append("\((skew < .zero ? .zero - skew : skew).words) \(skew < .zero ? "behind" : "ahead")")
    }
    if drift != 0 {
      let parts = abs(partsPerBillion)
      let text = parts % 1_000 == 0 ? "\(parts / 1_000)" : decimal(Double(parts) / 1_000, 3)
      words.append("\(text) ppm \(drift < 0 ? "slow" : "fast")")
    }
    return words.joined(separator: ", ")
  }
}

extension WorldDescription.Node {
  /// What is not ideal about the machine, for people.
  var faultWords: String {
    var words: [String] = []
    if processing > .zero { words.append("looks at a frame after \(processing.words)") }
    if !cpu.words.isEmpty { words.append("works \(cpu.words)") }
    if let ring { words.append("a receive ring of \(ring) frames") }
    if !clock.words.isEmpty { words.append("its clock is \(clock.words)") }
    return words.joined(separator: "; ")
  }
}
