import Glibc

/// The memory of this process that is in use, in bytes; 0 where the system does not say.
func residentByteCount() -> Int {
  let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return 0 }
  defer { close(descriptor) }
  var buffer = [UInt8](repeating: 0, count: 128)
  let count = unsafe read(descriptor, &buffer, buffer.count)
  let fields = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
  return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
}
