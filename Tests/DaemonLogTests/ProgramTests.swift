import Foundation
import NodeTesting
import Testing

/// The log of a daemon that goes on whatever happens to its file. arp-proxy stands for all: it
/// needs nobody else, and says its log level at every SIGUSR2.
@Suite struct ProgramTests {
  static let products: URL = {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    return bundle.map { $0.bundleURL.deletingLastPathComponent() }
      ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  }()

  /// A folder of a test, and an arp-proxy that logs to `log` in it.
  private final class Daemon {
    let folder = NSTemporaryDirectory() + "daemon-\(UUID().uuidString.prefix(8))"
    var file: String { folder + "/log" }
    let program: RunningProgram

    /// - Parameter wrapper: what starts it; `$FILE` is the log, `"$@"` the program.
    init(file: String? = nil, wrapper: String = "exec \"$@\"") throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      program = try RunningProgram([
        "env", "FILE=\(folder)/log", "LOG_FILE=\(file ?? folder + "/log")",
        "ARP_PROXY_IF=nowhere0", "sh", "-c", wrapper, "sh",
        ProgramTests.products.appendingPathComponent("arp-proxy").path,
      ])
    }

    deinit {
      program.kill()
      try? FileManager.default.removeItem(atPath: folder)
    }

    /// Makes it say something, and waits until it has.
    func speak() async throws {
      kill(program.identifier, SIGUSR2)
      try await program.wait(for: "log level")
    }

    func lines() throws -> [Substring] {
      try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    }
  }

  @Test func theFileHasWhatStandardErrorHas() async throws {
    let daemon = try Daemon()
    let line = try await daemon.program.wait(for: "waiting")
    #expect(try daemon.lines().map(String.init) == [line])
    #expect(line.contains("interface=") || line.contains("nowhere0 is not there"))
  }

  @Test func removed() async throws {
    let daemon = try Daemon()
    try await daemon.program.wait(for: "waiting")
    try FileManager.default.removeItem(atPath: daemon.file)
    try await daemon.speak()
    #expect(try daemon.lines().count == 1)
    #expect(daemon.program.isRunning)
  }

  @Test func moved() async throws {
    let daemon = try Daemon()
    try await daemon.program.wait(for: "waiting")
    try FileManager.default.moveItem(atPath: daemon.file, toPath: daemon.file + ".1")
    try await daemon.speak()
    #expect(try daemon.lines().count == 1)
  }

  @Test func cutOff() async throws {
    let daemon = try Daemon()
    try await daemon.program.wait(for: "waiting")
    #expect(truncate(daemon.file, 0) == 0)
    try await daemon.speak()
    let lines = try daemon.lines()
    #expect(lines.count == 1 && lines[0].contains("log level"))
  }

  @Test func aFolderThatCannotBeWritten() async throws {
    let daemon = try Daemon(file: "/proc/nowhere/arp-proxy.log")
    let line = try await daemon.program.wait(for: "the log file is not written")
    #expect(line.contains("make the folder, or name another file in LogFile"))
    // Said once; all else is said as ever.
    try await daemon.speak()
    try await daemon.speak()
    daemon.program.interrupt()
    let rest = try await daemon.program.rest()
    #expect(rest.contains { $0.contains("stopped") })
    #expect(!rest.contains { $0.contains("not written") })
  }

  /// A disk of its own, that is full for a while.
  @Test(.enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
  func aFullDisk() async throws {
    let daemon = try Daemon(
      wrapper: """
        exec unshare -m sh -c '
          mount -t tmpfs -o size=16k tmpfs "${FILE%/*}" &&
          { head -c 100000 /dev/zero > "${FILE%/*}/filler" 2> /dev/null; exec "$@"; }' sh "$@"
        """)
    let there = ["nsenter", "-t", "\(daemon.program.identifier)", "-m"]
    let line = try await daemon.program.wait(for: "the log file is not written")
    #expect(line.contains("No space left on device; make room on that disk"))
    try await daemon.speak()
    #expect(
      try await Command.run(there + ["rm", daemon.folder + "/filler"]).status == 0)
    try await daemon.speak()
    let content = try await Command.run(there + ["cat", daemon.file]).output
    #expect(content.contains("lines are missing here lines="), "\(content)")
    #expect(content.contains("log level"))
    #expect(daemon.program.isRunning)
  }

  /// Whoever redirects standard error to the file gets each line once, and the file stays the
  /// place of what a crash would say.
  @Test func standardErrorIsTheFile() async throws {
    let daemon = try Daemon(wrapper: "exec \"$@\" 2>> \"$FILE\"")
    func until(_ condition: ([Substring]) -> Bool) async throws {
      while (try? daemon.lines()).map(condition) != true {
        try #require(daemon.program.isRunning)
        try await Task.sleep(for: .milliseconds(5))
      }
    }
    try await until { $0.contains { $0.contains("waiting") } }
    #expect(try daemon.lines().count == 1)
    try FileManager.default.removeItem(atPath: daemon.file)
    kill(daemon.program.identifier, SIGUSR2)
    try await until { $0.contains { $0.contains("log level") } }
    #expect(try daemon.lines().count == 1)
    let descriptor = "/proc/\(daemon.program.identifier)/fd/2"
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: descriptor) == daemon.file)
  }

  /// systemd says by JOURNAL_STREAM that standard error is the journal's.
  @Test func theJournalIsToldTheLevel() async throws {
    let daemon = try Daemon(
      wrapper: "export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); exec \"$@\"")
    let line = try await daemon.program.wait(for: "waiting")
    #expect(line.hasPrefix("<4>"))
    // The file has it as ever.
    #expect(try daemon.lines().map { "<4>" + $0 } == [line])
    let other = try Daemon(wrapper: "export JOURNAL_STREAM=1:1; exec \"$@\"")
    #expect(try await !other.program.wait(for: "waiting").hasPrefix("<"))
  }

  @Test func aBadEnvironmentIsRefused() async throws {
    for (program, name) in [("arp-proxy", "LOG_LEVEL"), ("felix-api-proxy", "LOG_FORMAT")] {
      let path = Self.products.appendingPathComponent(program).path
      let outcome = try await Command.run(["env", "ARP_PROXY_IF=a", "\(name)=loud", path])
      #expect(outcome.status == 2)
      #expect(outcome.output.hasPrefix("\(program): \(name): loud is none; give "), "\(outcome)")
    }
  }
}
