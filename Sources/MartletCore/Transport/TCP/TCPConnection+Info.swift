import MartletWire

// A connection's numbers, made when somebody asks.

extension TCPConnection {
  package var info: TCPInfo {
    @inline(__always) get {
      let totals = self.totals
      let flight = sender.isPresent ? flightInNetwork : sendNext - sendUnacknowledged
      let rate = pacingRate
      return TCPInfo(
        state: state, waiting: waitReason, congestionControl: limits.congestionControl,
        congestionPhase: congestionPhase,
        congestionWindow: sender.isPresent ? sender.value.congestion.window : hasSent ? 0 : firstWindow,
        slowStartThreshold: sender.isPresent ? sender.value.congestion.threshold : hasSent ? 0 : Int(UInt32.max),
        pathModel: pathModel, pacingRate: rate > 0 ? Int(clamping: rate) : nil,
        deliveryRate: sender.isPresent && sender.value.delivery.latest > 0
          ? Int(clamping: sender.value.delivery.latest) : nil,
        isApplicationLimited: sender.isPresent ? sender.value.delivery.isApplicationLimited : true,
        smoothedRoundTrip: estimator.hasSample ? .nanoseconds(estimator.smoothed) : nil,
        roundTripVariation: estimator.hasSample ? .nanoseconds(estimator.variation) : nil,
        minimumRoundTrip: estimator.minimum < .max ? .nanoseconds(estimator.minimum) : nil,
        retransmissionTimeout: .nanoseconds(estimator.timeout), bytesInFlight: flight,
        unacknowledgedByteCount: sendNext - sendUnacknowledged, deliveredByteCount: deliveredByteCount(totals),
        retransmittedSegments: Int(totalRetransmitted), retransmittedByteCount: Int(clamping: totals.retransmitted),
        lostByteCount: Int(clamping: totals.lost), timeouts: Int(totalTimeouts),
        tailLossProbes: Int(totals.tailLossProbes), undoneRecoveries: Int(totals.undone),
        isRecovering: sender.isPresent && sender.value.recovery.phase != .open,
        hasSeenReordering: totals.hasReordering, sendQueueByteCount: sendQueue.byteCount,
        receiveQueueByteCount: receiveQueue.byteCount, outOfOrderByteCount: receiveQueue.outOfOrderByteCount,
        sendBufferByteCount: Int(limits.sendBuffer), maximumSendBufferByteCount: limits.largestSendBuffer,
        receiveBufferByteCount: Int(limits.receiveBuffer), maximumReceiveBufferByteCount: limits.largestReceiveBuffer,
        sendWindow: Int(sendWindow), receiveWindow: max(0, receiveEdge - receiveNext), segmentSize: Int(segmentSize),
        pathMTU: Int(probing.size), usesTimestamps: flags.contains(.timestamps),
        usesSelectiveAcknowledgments: flags.contains(.selective),
        usesCongestionNotification: marks.contains(.isCapable), sendWindowScale: Int(sendScale),
        receiveWindowScale: Int(receiveScale))
    }
  }

  // MARK: Counts

  /// Lets go of the sender; what it counted stays, if it is worth a word.
  mutating func dropSender() {
    if sender.isPresent {
      let totals = self.totals
      if totals.isRemarkable {
        var rare = rarities.value ?? TCPRarities()
        rare.totals = totals
        rarities.value = rare
      }
    }
    sender.drop()
  }

  private var totals: SenderTotals {
    @inline(__always) get {
      if sender.isPresent {
        var totals = sender.value.totals
        // What is acknowledged was delivered, by a SYN too, or by the acknowledgement that is being taken.
        let more =
          Int32(truncatingIfNeeded: sendUnacknowledged.value &- initialSend.value &- 1)
          &- Int32(truncatingIfNeeded: totals.delivered)
        if more > 0 { totals.delivered &+= UInt64(more) }
        return totals
      }
      if let totals = rarities.value?.totals { return totals }
      // Nothing special happened: all that was acknowledged was delivered.
      return SenderTotals(delivered: UInt64(max(0, Int(sendUnacknowledged.value &- initialSend.value) - 1)))
    }
  }

  /// Without the FIN.
  @inline(__always)
  private func deliveredByteCount(_ totals: SenderTotals) -> Int {
    let finArrived: Bool
    switch state {
    case .finWait2, .timeWait: finArrived = true
    case .closed: finArrived = error == nil && totals.delivered > 0
    default: finArrived = false
    }
    return Int(clamping: totals.delivered) - (finArrived && totals.delivered > 0 ? 1 : 0)
  }

  // MARK: Congestion control

  /// Whether anything but a SYN went out.
  private var hasSent: Bool {
    // Equal, not less: numbers come round.
    @inline(__always) get { sendMaximum != initialSend && sendMaximum != initialSend + 1 }
  }

  /// In bytes per second, 0 for none.
  var pacingRate: UInt64 {
    @inline(__always) get {
      guard flags.contains(.paces), sender.isPresent else { return 0 }
      return sender.value.congestion.pacingRate(smoothedRoundTrip: estimator.smoothed, segmentSize: Int(segmentSize))
    }
  }

  private var congestionPhase: TCPCongestionPhase {
    @inline(__always) get {
      guard sender.isPresent else { return .slowStart }
      let growth = sender.value.congestion.growthPhase
      if limits.congestionControl == .bbr { return growth }
      switch sender.value.recovery.phase {
      case .open: return growth
      case .fast: return .recovery
      case .timeout: return .timeout
      }
    }
  }

  private var pathModel: TCPPathModel? {
    @inline(__always) get {
      guard sender.isPresent, let model = sender.value.congestion.pathModel else { return nil }
      return TCPPathModel(
        bandwidth: Int(clamping: model.bandwidth), minimumRoundTrip: model.minimumRoundTrip.map { .nanoseconds($0) })
    }
  }

  // MARK: Waiting

  /// Why nothing goes out: what ``transmit(from:at:into:limit:)`` met last, found again from the state.
  private var waitReason: TCPWaitReason {
    @inline(__always) get {
      switch state {
      case .synSent, .synReceived: return .handshake
      case .established, .finWait1, .closeWait, .closing, .lastAck: break
      default: return .nothingToSend
      }
      let available = queueStart + sendQueue.byteCount - sendNext
      let isRepairing =
        sender.isPresent && (sender.value.losses.lostByteCount > 0 || sender.value.recovery.phase == .timeout)
      if available < 0 || (available == 0 && !flags.contains(.finQueued)) {
        return isRepairing ? .retransmission : .nothingToSend
      }
      if sendWindow == 0 { return .closedWindow }
      if timers.purpose == .persist, timers.retransmission < .distantFuture { return .smallWindow }
      guard sender.isPresent else { return .turn }
      if isRepairing { return .retransmission }
      return waitReason(available: available)
    }
  }

  /// Why nothing of `available` new bytes, or the FIN behind them, goes out.
  @inline(__always)
  private func waitReason(available: Int) -> TCPWaitReason {
    let size = Int(segmentSize)
    let isPaced = timers.pacing < .distantFuture
    let windowRoom = sendUnacknowledged + Int(sendWindow) - sendNext
    if windowRoom <= 0 { return .receiveWindow }
    let usable = min(available, windowRoom, sender.value.congestion.window - flightInNetwork)
    if usable >= size {
      if isPaced { return .pacing }
      return probing.isSearching && !flags.contains(.wantsOutput) ? .pathProbe : .turn
    }
    if usable < min(available, windowRoom) { return .congestionWindow }
    if isPaced { return .pacing }
    if windowRoom < available {
      return Int(sendWindow) < size || sendNext == sendUnacknowledged ? .smallWindow : .receiveWindow
    }
    if flags.contains(.wantsOutput) || flags.contains(.finQueued) { return .turn }
    if flags.contains(.corked), !flags.contains(.wantsWritable) { return .cork }
    return flags.contains(.noDelay) ? .turn : .nagle
  }
}

extension CongestionControl {
  /// How the window grows now, whatever is being repaired.
  var growthPhase: TCPCongestionPhase {
    if let model = pathModel {
      switch model.mode {
      case .startup: return .startup
      case .drain: return .drain
      case .down: return .probeBandwidthDown
      case .cruise: return .probeBandwidthCruise
      case .refill: return .probeBandwidthRefill
      case .up: return .probeBandwidthUp
      case .probeRoundTrip: return .probeRoundTrip
      }
    }
    if isConservative { return .conservativeSlowStart }
    return isSlowStart ? .slowStart : .avoidance
  }
}
