import Foundation
import Synchronization

/// What this process makes of the machine's and has to be gone when it ends: namespaces,
/// interfaces in its own, folders, and the programs that it started, with all that those
/// started. A run of tests that leaves anything behind says so and fails.
enum Leftovers {
  /// In the environment of every program that a test starts.
  private static let mark = "K8SDP_TESTS"
  private static let folders = Mutex<Set<String>>([])
  /// The kernel, and programs that are killed, take their time.
  private static let patience = 200
  private static let pause: UInt32 = 100_000

  private static let isWatching: Void = {
    setenv(mark, "\(getpid())", 1)
    atexit {
      let left = Leftovers.settled()
      guard !left.isEmpty else { return }
      FileHandle.standardError.write(
        Data("the tests left behind:\n  \(left.joined(separator: "\n  "))\n".utf8))
      _exit(1)
    }
  }()

  /// To be called before anything is made.
  static func watch() { _ = isWatching }

  static func note(folder: String) {
    _ = folders.withLock { $0.insert(folder) }
  }

  /// What is left, in words, when it does not get less any more.
  private static func settled() -> [String] {
    for _ in 0..<patience {
      if now().isEmpty { return [] }
      usleep(pause)
    }
    return now()
  }

  private static func now() -> [String] {
    let names = NetworkNamespace.mark
    return entries("/run/netns").filter { $0.contains(names) }.map { "namespace \($0)" }
      + entries("/sys/class/net").filter { $0.contains(names) }.map { "interface \($0)" }
      + folders.withLock(\.self).filter { FileManager.default.fileExists(atPath: $0) }
      .map { "folder \($0)" }
      + entries("/proc").compactMap { Int32($0) }.filter(isOurs).map { pid in
        "process \(pid): \(command(pid))"
      }
  }

  private static func entries(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private static func isOurs(_ pid: Int32) -> Bool {
    guard pid != getpid(), let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ")
    else { return false }
    return bytes.split(separator: 0).contains { $0.elementsEqual("\(mark)=\(getpid())".utf8) }
  }

  private static func command(_ pid: Int32) -> String {
    let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
    return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
  }
}
