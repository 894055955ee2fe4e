import Foundation

/// A new folder that nobody else has.
func temporaryFolder() throws -> String {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-testing-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder.path
}

/// Removes `folder` and all that is in it.
func remove(_ folder: String) { try? FileManager.default.removeItem(atPath: folder) }

/// What is in the file at `path`; nothing if there is none.
func bytes(of path: String) -> [UInt8] { FileManager.default.contents(atPath: path).map(Array.init) ?? [] }
