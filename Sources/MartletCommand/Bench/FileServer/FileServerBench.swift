import ArgumentParser
import Glibc
import Martlet

/// How a file gets to the wire, and what each way costs.
struct FileServerBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "file-server",
    abstract: "Measure three ways to send a file: read and write, mapped with a copy, by reference.",
    discussion: """
      The same file goes over one connection again and again, the ways in turn, and as much memory for comparison: what \
      TCP does without a file. Without --tap both ends are hosts of this process with a wire between them that copies \
      nothing, as a network card that reads memory by itself, and the processor time is that of both; with --tap the \
      client is the Linux kernel at a TAP device in a network namespace of its own (needs root), and the time is that of \
      the server's thread alone, with the device's copy of every frame in it. This measures the machine it runs on: \
      compare the ways, not the numbers.
      """)

  @Option(help: ArgumentHelp("Serve this file.", valueName: "file"))
  var file: String?

  @Option(help: ArgumentHelp("The size of the file that is made when none is given.", valueName: "MiB"))
  var size = 64

  @Option(help: ArgumentHelp("How much to send each way in each turn.", valueName: "MiB"))
  var amount = 1_024

  @Option(help: ArgumentHelp("How often each way is measured; the medians are told.", valueName: "count"))
  var turns = 3

  @Option(
    help: ArgumentHelp("Only this way: readAndWrite, mappedCopy, byReference or memory; repeatable.", valueName: "way"))
  var only: [FileWayChoice] = []

  @Flag(help: "Send to the Linux kernel over a TAP device.")
  var tap = false

  @Flag(help: "Compute checksums and cut segments in software, as for a device that does neither.")
  var software = false

  @Flag(help: "One JSON object a line instead of a table.")
  var json = false

  func validate() throws {
    if !(1...65_536).contains(size) { throw ValidationError("--size takes 1 to 65536, not \(size).") }
    if !(1...1_048_576).contains(amount) { throw ValidationError("--amount takes 1 to 1048576, not \(amount).") }
    if !(1...1_000).contains(turns) { throw ValidationError("--turns takes 1 to 1000, not \(turns).") }
  }

  func run() throws {
    try reportingFailure {
      let ways = only.isEmpty ? FileWayChoice.allCases : only
      let served = try ServedFile(path: file, byteCount: size << 20)
      let course: any FileCourse =
        tap ? try TAPCourse(software: software) : try WireCourse(software: software)
      defer { course.end() }
      let repeats = max(1, (amount << 20) / max(1, served.byteCount))
      // Once for nothing: pages come from the disk, memory from the system.
      for way in ways { _ = try course.measure(served, way: way, repeats: 1) }
      var results: [FileWayChoice: [FileCourseResult]] = [:]
      let progress = RunProgress(total: turns * ways.count, isShown: true)
      for _ in 0..<turns {
        for way in ways {
          results[way, default: []].append(try course.measure(served, way: way, repeats: repeats))
          progress.step()
        }
      }
      progress.finish()
      let rows = ways.map { FileServerRow(way: $0, results: results[$0] ?? []) }
      if json {
        for row in rows { StandardStreams.line(row.object(over: course.name).line) }
      } else {
        tell(rows, over: course)
      }
    }
  }

  private func tell(_ rows: [FileServerRow], over course: any FileCourse) {
    StandardStreams.line(
      "\(course.title), \(software ? "checksums and segments in software" : "checksums and segments by the device")")
    StandardStreams.line("")
    for line in FileServerRow.table(rows) { StandardStreams.line(line) }
    StandardStreams.line("")
    if let copying = rows.first(where: { $0.way == .readAndWrite }),
      let referring = rows.first(where: { $0.way == .byReference })
    {
      let share = fixed(referring.processorSeconds / copying.processorSeconds, 2)
      StandardStreams.line("By reference takes \(share) of the processor time of read and write.")
      StandardStreams.line("")
    }
    for line in FileServerRow.lesson { StandardStreams.line(line) }
  }
}

/// ``FileWay`` by its name, or as many bytes of memory by reference: what TCP does where there is no file to send.
enum FileWayChoice: String, CaseIterable, ExpressibleByArgument {
  case readAndWrite, mappedCopy, byReference, memory

  private var way: FileWay? {
    switch self {
    case .readAndWrite: .readAndWrite
    case .mappedCopy: .mappedCopy
    case .byReference: .byReference
    case .memory: nil
    }
  }

  func send(_ file: ServedFile, over connection: TCPSocket) async throws -> TransferStatistics {
    if let way { return try await connection.sendFile(file.descriptor, way: way) }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4_096)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0x5a)
    guard let bytes = memory.baseAddress else { return TransferStatistics() }
    // The region frees the memory when the last byte of it was acknowledged.
    let region = unsafe Region(bytes: bytes, byteCount: memory.count, context: nil) { bytes, _, _ in
      unsafe bytes.deallocate()
    }
    var statistics = TransferStatistics()
    var rest = file.byteCount
    while rest > 0 {
      let count = min(rest, memory.count)
      try await connection.write(Slice(region.share(), offset: 0, count: count))
      rest -= count
      statistics.bytesSent += UInt64(count)
    }
    return statistics
  }
}

/// The file that is served.
final class ServedFile: Sendable {
  let descriptor: CInt
  let byteCount: Int

  /// Opens the file at `path`, or makes one of `byteCount` bytes that has no name.
  init(path: String?, byteCount: Int) throws {
    if let path {
      descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw CommandFailure(.noDevice, "\(path) cannot be opened (errno \(errno))") }
    } else {
      var template = Array("/tmp/martlet-bench-XXXXXX".utf8CString)
      descriptor = unsafe template.withUnsafeMutableBufferPointer {
        guard let name = $0.baseAddress else { return -1 }
        let descriptor = unsafe mkstemp(name)
        if descriptor >= 0 { unsafe unlink(name) }
        return descriptor
      }
      guard descriptor >= 0 else { throw CommandFailure(.cannotCreate, "no temporary file in /tmp (errno \(errno))") }
      let block = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 &>> 8) }
      for _ in 0..<byteCount >> 20 {
        guard StandardStreams.write(block, to: descriptor) else {
          throw CommandFailure(.cannotCreate, "/tmp has no room for \(byteCount >> 20) MiB")
        }
      }
    }
    do { self.byteCount = Int(try FileIdentity(descriptor: descriptor).byteCount) } catch {
      throw CommandFailure(.noDevice, "what is to be served is no file")
    }
  }

  deinit { close(descriptor) }
}
