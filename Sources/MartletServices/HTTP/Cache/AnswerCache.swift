import Glibc
import Martlet
import NIOCore
import NIOHTTP1
import Synchronization

/// Answers to requests that come again, byte for byte, within a moment: small files with their headers, ready to be sent.
///
/// An answer depends on the head of the request and on files, so that the same head gets the same answer while the files
/// stay what they are. What was sent is looked up by the bytes of the head and sent again if two things are so: the file
/// was opened less than ``lifetime`` ago, so that whatever happened to names and links shows after that time; and the
/// descriptor says, each time, that neither its bytes nor its inode were touched, so that a file that is written,
/// replaced, renamed or removed is not sent from memory at all. Head and bytes are of one state.
final class AnswerCache: Sendable {
  /// How much is kept.
  struct Limits: Sendable {
    /// The largest file, in bytes.
    var file: Int64 = 65_536
    /// The largest head of a request, in bytes.
    var head = 2_048
    /// Answers; each has its file open.
    var count = 256
    /// All answers together, in bytes.
    var bytes = 16 << 20
  }

  /// How long a path is taken to lead to the same file, in nanoseconds.
  static let lifetime: Int64 = 100_000_000
  /// How old a file's last change has to be, in nanoseconds: the system stamps changes with a clock of coarse ticks.
  static let ripeness: Int64 = 50_000_000

  let limits: Limits
  private let state = Mutex(State())

  fileprivate struct State {
    var entries: [ByteBuffer: Entry] = [:]
    var byteCount = 0
    /// Heads that came once, by their hashes, so that what nobody asks for again is not kept.
    var seen = [Int](repeating: 0, count: AnswerCache.seenCount)
    var date = HTTPDate(secondsSinceEpoch: .min)
    var dateLines = ""
  }

  fileprivate static let seenCount = 1_024

  fileprivate struct Entry {
    let file: OpenFile
    let stamp: FileStamp
    /// The status line and the fields that stay the same.
    let fields: String
    let content: ByteBuffer
    /// The whole answer for the second of `date`.
    var answer: ByteBuffer
    var date: HTTPDate
    let openedAt: Int64
    let record: AccessRecord

    var byteCount: Int { fields.utf8.count + content.readableBytes + answer.readableBytes }
  }

  /// An answer as it is to be sent, and what the log says of it but for the client and the time.
  struct Answer {
    var bytes: ByteBuffer
    var record: AccessRecord
  }

  init(limits: Limits = Limits()) { self.limits = limits }

  /// The answer to the request that `head` is, whole and nothing behind it; nil if it has to be made.
  func answer(to head: ByteBuffer, at now: WallClock) -> Answer? {
    guard head.readableBytes <= limits.head else { return nil }
    return state.withLock { state -> Answer? in
      guard let index = state.entries.index(forKey: head) else { return nil }
      let entry = state.entries.values[index]
      guard (0..<Self.lifetime).contains(now.nanoseconds &- entry.openedAt), entry.stamp == FileStamp(of: entry.file)
      else { return nil }
      if entry.date == now.date { return Answer(bytes: entry.answer, record: entry.record) }
      state.setDate(now.date)
      let bytes = Self.assemble(entry.fields, state.dateLines, entry.content)
      state.byteCount += bytes.readableBytes - entry.answer.readableBytes
      state.entries.values[index].answer = bytes
      state.entries.values[index].date = now.date
      return Answer(bytes: bytes, record: entry.record)
    }
  }

  /// Keeps what `planned` makes of its file, if it is worth it: a small file, whole, for a request that came before.
  func learn(
    _ planned: PlannedResponse, to head: ByteBuffer, _ record: @autoclosure () -> AccessRecord, at now: WallClock
  ) {
    guard head.readableBytes <= limits.head, planned.status == .ok, !planned.isCompressed, planned.pieces.count == 1,
      case .file(let file, let range) = planned.pieces[0], range.lowerBound == 0, range.upperBound == file.size,
      file.size <= limits.file
    else { return }
    state.withLock { state in
      let known = state.entries[head]
      guard known != nil || state.isSeen(head) else { return }
      guard let stamp = FileStamp(of: file), stamp.identity == file.identity,
        now.nanoseconds &- max(stamp.changed, stamp.identity.modified) > Self.ripeness
      else { return state.forget(head) }
      var content = ByteBuffer()
      guard file.read(Int(file.size), at: 0, into: &content), FileStamp(of: file) == stamp else {
        return state.forget(head)
      }
      state.setDate(now.date)
      var fields = "HTTP/1.1 200 OK\r\n"
      for (name, value) in planned.headers { fields += "\(name): \(value)\r\n" }
      var record = record()
      record.contentByteCount = file.size
      record.copiedByteCount = 0
      let entry = Entry(
        file: file, stamp: stamp, fields: fields, content: content,
        answer: Self.assemble(fields, state.dateLines, content), date: now.date, openedAt: now.nanoseconds,
        record: record)
      // A copy of the head, lest it keep what it was received in.
      state.forget(head)
      guard state.makeRoom(for: entry.byteCount + head.readableBytes, limits, at: now.nanoseconds) else { return }
      state.entries[ByteBuffer(bytes: head.readableBytesView)] = entry
      state.byteCount += entry.byteCount + head.readableBytes
    }
  }

  /// Forgets all answers and closes their files.
  func clear() {
    state.withLock { state in
      state.entries = [:]
      state.byteCount = 0
    }
  }

  var count: Int { state.withLock { $0.entries.count } }

  private static func assemble(_ fields: String, _ dateLines: String, _ content: ByteBuffer) -> ByteBuffer {
    var answer = ByteBuffer()
    answer.reserveCapacity(fields.utf8.count + dateLines.utf8.count + content.readableBytes)
    answer.writeString(fields)
    answer.writeString(dateLines)
    answer.writeImmutableBuffer(content)
    return answer
  }
}

extension AnswerCache.State {
  /// Whether this head came before; from now on it did.
  mutating func isSeen(_ head: ByteBuffer) -> Bool {
    let hash = head.hashValue
    let place = Int(UInt(bitPattern: hash) % UInt(seen.count))
    defer { seen[place] = hash }
    return seen[place] == hash
  }

  mutating func forget(_ head: ByteBuffer) {
    guard let entry = entries.removeValue(forKey: head) else { return }
    byteCount -= entry.byteCount + head.readableBytes
  }

  mutating func sweep(at now: Int64) {
    entries = entries.filter { (0..<AnswerCache.lifetime).contains(now &- $0.value.openedAt) }
    byteCount = entries.reduce(0) { $0 + $1.value.byteCount + $1.key.readableBytes }
  }

  mutating func makeRoom(for more: Int, _ limits: AnswerCache.Limits, at now: Int64) -> Bool {
    func hasRoom() -> Bool { entries.count < limits.count && byteCount + more <= limits.bytes }
    if !hasRoom() { sweep(at: now) }
    return hasRoom()
  }

  mutating func setDate(_ now: HTTPDate) {
    guard date != now else { return }
    date = now
    dateLines = "Date: \(now)\r\nServer: \(ResponseSender.serverName)\r\n\r\n"
  }
}

/// What a descriptor says of its file: equal stamps are of one state, with the names it has.
struct FileStamp: Equatable {
  var identity: FileIdentity
  /// When bytes, names or permissions were last changed: nanoseconds since 1970.
  var changed: Int64

  init?(of file: OpenFile) {
    guard let status = file.status else { return nil }
    identity = FileIdentity(status)
    changed = Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec)
  }
}

/// The system's time of day, which is that of files and of answers.
struct WallClock {
  /// Since 1970.
  var nanoseconds: Int64

  static var now: WallClock {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return WallClock(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
  }

  var date: HTTPDate { HTTPDate(secondsSinceEpoch: nanoseconds.flooredDivision(by: 1_000_000_000).quotient) }
}
