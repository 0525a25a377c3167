import Core
import Glibc

/// What Prometheus's client libraries say of every process, and which build it is.
public enum ProcessMetrics {
  static let cpu = Metric(
    .counter, "process_cpu_seconds_total", "User and system CPU time spent, in seconds.")
  static let resident = Metric(
    .gauge, "process_resident_memory_bytes", "Resident memory, in bytes.")
  static let virtual = Metric(.gauge, "process_virtual_memory_bytes", "Virtual memory, in bytes.")
  static let threads = Metric(.gauge, "process_threads", "Threads.")
  static let openFiles = Metric(.gauge, "process_open_fds", "Open file descriptors.")
  static let maximumFiles = Metric(
    .gauge, "process_max_fds", "File descriptors that may be open.")
  static let start = Metric(
    .gauge, "process_start_time_seconds", "When the process started, seconds since 1970.")

  /// What cannot be read is left out.
  ///
  /// - Parameters:
  ///   - program: what the name of the build's metric begins with.
  ///   - labels: more of them for the build.
  public static func add(
    to exposition: inout Exposition, program: String, labels: [(String, String)] = []
  ) {
    let all = [("version", Release.version)] + labels
    exposition.add(
      Metric(
        .gauge, "\(program)_build_info", labels: all.map(\.0), "Always 1; labels tell the build."),
      [(all.map(\.1), 1)])
    // Fields of proc(5) after the name, which may hold blanks: state is the third.
    guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return }
    let fields = text[text.index(after: end)...].split(separator: " ").map(String.init)
    func field(_ number: Int) -> Double {
      fields.indices.contains(number - 3) ? Double(fields[number - 3]) ?? 0 : 0
    }
    let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    exposition.add(cpu, (field(14) + field(15)) / ticks)
    exposition.add(threads, field(20))
    exposition.add(virtual, field(23))
    exposition.add(resident, field(24) * Double(getpagesize()))
    if let boot = bootTime { exposition.add(start, boot + field(22) / ticks) }
    if let files = openFileCount { exposition.add(openFiles, files) }
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      exposition.add(maximumFiles, limit.rlim_cur)
    }
  }

  /// Seconds since 1970.
  private static var bootTime: Double? {
    guard let text = read("/proc/stat"),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("btime ") })
    else { return nil }
    return Double(line.dropFirst(6))
  }

  private static var openFileCount: Int? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // Neither `.` nor `..` nor the folder itself.
    return count - 3
  }

  private static func read(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
