import Martlet

/// What one measurement came to.
struct FileCourseResult: Sendable {
  var statistics = TransferStatistics()
  /// Frames handed to the device, each with a call of the system if it is one of the system's.
  var frames: UInt64 = 0
  var seconds = 0.0
  var userSeconds = 0.0
  var systemSeconds = 0.0
}

/// One way's measurements, as a line of a table.
struct FileServerRow {
  let way: FileWayChoice
  private let results: [FileCourseResult]

  init(way: FileWayChoice, results: [FileCourseResult]) {
    self.way = way
    self.results = results
  }

  private func median(_ value: (FileCourseResult) -> Double) -> Double {
    let values = results.map(value).sorted()
    return values.isEmpty ? 0 : values[values.count / 2]
  }

  private func perGigabyte(_ value: @escaping (FileCourseResult) -> Double) -> Double {
    median { value($0) / (Double($0.statistics.bytesSent) / 1e9) }
  }

  var gigabitsPerSecond: Double { median { Double($0.statistics.bytesSent) * 8e-9 / $0.seconds } }
  var copiesPerByte: Double { median { $0.statistics.copiesPerByte } }
  var systemCalls: Double { perGigabyte { Double($0.statistics.systemCalls) } }
  var frames: Double { perGigabyte { Double($0.frames) } }
  var processorSeconds: Double { perGigabyte { $0.userSeconds + $0.systemSeconds } }
  var userSeconds: Double { perGigabyte { $0.userSeconds } }
  var systemSeconds: Double { perGigabyte { $0.systemSeconds } }
  /// Of the bytes whose checksums software computed, by reference alone: the share whose sums were known.
  var cachedShare: Double {
    median {
      let all = $0.statistics.checksumBytesCached + $0.statistics.checksumBytesComputed
      return all == 0 ? 0 : Double($0.statistics.checksumBytesCached) / Double(all)
    }
  }

  private var title: String {
    switch way {
    case .readAndWrite: "read and write"
    case .mappedCopy: "mapped, copied"
    case .byReference: "by reference"
    case .memory: "no file: memory"
    }
  }

  func object(over course: String) -> JSON {
    [
      "over": .string(course), "way": .string(way.rawValue), "copiesPerByte": .number(copiesPerByte),
      "systemCallsPerGB": .number(systemCalls), "framesPerGB": .number(frames),
      "userSecondsPerGB": .number(userSeconds), "systemSecondsPerGB": .number(systemSeconds),
      "processorSecondsPerGB": .number(processorSeconds), "gigabitsPerSecond": .number(gigabitsPerSecond),
      "checksumsFromCache": .number(cachedShare),
    ]
  }

  static func table(_ rows: [FileServerRow]) -> [String] {
    let titles = ["way", "copies/byte", "calls/GB", "frames/GB", "CPU s/GB", "user", "system", "Gbit/s", "sums known"]
    let lines = rows.map { row in
      [
        row.title, fixed(row.copiesPerByte, 3), fixed(row.systemCalls, 0), fixed(row.frames, 0),
        fixed(row.processorSeconds, 3), fixed(row.userSeconds, 3), fixed(row.systemSeconds, 3),
        fixed(row.gigabitsPerSecond, 1), row.cachedShare == 0 ? "-" : fixed(row.cachedShare * 100, 0) + " %",
      ]
    }
    let widths = titles.indices.map { column in ([titles] + lines).map { $0[column].count }.max() ?? 0 }
    return ([titles] + lines).map { cells in
      var line = ""
      for (column, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += column == 0 ? cell + padding : "  " + padding + cell
      }
      return line
    }
  }

  static let lesson = [
    "How a file's bytes travel: disk -> page cache -> (program) -> send queue -> device. The disk and the device copy in",
    "every case; what differs is the middle. read() copies from the page cache into the program, write() from there into",
    "the send queue, and each touches memory that the processor's caches have long forgotten. A mapping makes the page",
    "cache itself readable, which saves the first copy and most calls. By reference the send queue holds the mapped pages:",
    "retransmissions come from them too, and where checksums are computed in software, each block's sum is taken once for",
    "all clients. The price: a file can change while it is being sent, so its last bytes wait until the rest is",
    "acknowledged and the file is found unchanged. \"copies/byte\" and \"calls/GB\" are those of the way itself; on a TAP",
    "device each frame is one more call, with the device's own copy.",
  ]
}
