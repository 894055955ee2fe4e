#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why a file about a run could not be written.
public struct RecordingFileError: Error, Equatable, CustomStringConvertible, Sendable {
  public var path: String
  /// The system's number of the error.
  public var number: CInt

  public var description: String {
    let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
    return "cannot write \(path): \(reason)"
  }
}

extension Recording {
  /// What can be written of a run.
  public enum Format: String, CaseIterable, Sendable {
    /// One page with everything: ``HTMLReport``.
    case html
    /// One JSON object for each event: ``EventLog``.
    case log = "jsonl"
    /// Every interface's frames: ``Capture``.
    case capture = "pcapng"
    /// The frames as a diagram in Mermaid's language: ``SequenceDiagram``.
    case diagram = "mmd"
    /// The events as a table: ``CSVTables``.
    case table = "csv"
    /// The busiest TCP flow's time-sequence graph: ``SequenceGraph``.
    case graph = "xpl"
  }

  /// The bytes of a file about this run.
  public func bytes(as format: Format) -> [UInt8] {
    switch format {
    case .html: HTMLReport(self).bytes
    case .log: EventLog(self).bytes
    case .capture: Capture(self).bytes
    case .diagram: Array(SequenceDiagram(self).text.utf8)
    case .table: Array(CSVTables(self).events.utf8)
    case .graph: Array(SequenceGraph(self).text.utf8)
    }
  }

  /// Writes the page about this run to a file, which is replaced.
  public func writeReport(to path: String) throws(RecordingFileError) { try write(.html, to: path) }

  /// Writes a file about this run, in place of one that is there.
  ///
  /// - Parameter flow: Which flow a diagram or a graph shows; nil for all of them, and the busiest.
  public func write(_ format: Format, to path: String, flow: Int? = nil) throws(RecordingFileError) {
    switch format {
    case .diagram where flow != nil: try Self.write(Array(SequenceDiagram(self, flow: flow).text.utf8), to: path)
    case .graph where flow != nil: try Self.write(Array(SequenceGraph(self, flow: flow).text.utf8), to: path)
    default: try Self.write(bytes(as: format), to: path)
    }
  }

  /// Writes ``CSVTables`` into a folder, which is made if it is not there: `events.csv`, `frames.csv`, `samples.csv`
  /// and `queues.csv`.
  public func writeTables(to folder: String) throws(RecordingFileError) {
    if unsafe mkdir(folder, 0o755) != 0, errno != EEXIST { throw RecordingFileError(path: folder, number: errno) }
    let tables = CSVTables(self)
    for (name, text) in [
      ("events", tables.events), ("frames", tables.frames), ("samples", tables.samples), ("queues", tables.queues),
    ] { try Self.write(Array(text.utf8), to: "\(folder)/\(name).csv") }
  }

  private static func write(_ bytes: [UInt8], to path: String) throws(RecordingFileError) {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw RecordingFileError(path: path, number: errno) }
    var failure: CInt = 0
    unsafe bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count, failure == 0, let base = buffer.baseAddress {
        // The module's own `write` would be found first.
        #if canImport(Darwin)
          let count = unsafe Darwin.write(descriptor, base + done, buffer.count - done)
        #elseif canImport(Musl)
          let count = unsafe Musl.write(descriptor, base + done, buffer.count - done)
        #else
          let count = unsafe Glibc.write(descriptor, base + done, buffer.count - done)
        #endif
        if count >= 0 { done += count } else if errno != EINTR { failure = errno }
      }
    }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    if failure != 0 { throw RecordingFileError(path: path, number: failure) }
  }
}
