import Foundation
import Testing

@testable import DaemonLog

/// The file of a log under all that may happen to it.
@Suite struct LogFileTests {
  private final class Folder {
    let path = NSTemporaryDirectory() + "log-\(UUID().uuidString.prefix(8))"

    init() throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func content(_ name: String) throws -> String {
      try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    var names: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
  }

  private func bytes(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

  @Test func itsSizeIsBounded() throws {
    let folder = try Folder()
    var file = LogFile(folder.path + "/a.log", maximum: 100, kept: 2)
    for i in 0..<100 { try file.append(bytes("line \(i) of a log that never ends")) }
    #expect(try folder.names == ["a.log", "a.log.1", "a.log.2"])
    var lines: [String] = []
    for name in ["a.log.2", "a.log.1", "a.log"] {
      let content = try folder.content(name)
      #expect(content.utf8.count <= 100 && content.hasSuffix("\n"))
      lines += content.split(separator: "\n").map(String.init)
    }
    // The latest, in order, without a gap.
    let first = 100 - lines.count
    #expect(first > 0 && lines == (first..<100).map { "line \($0) of a log that never ends" })
  }

  @Test func keepingNone() throws {
    let folder = try Folder()
    var file = LogFile(folder.path + "/a.log", maximum: 20, kept: 0)
    for i in 0..<10 { try file.append(bytes("line number \(i)")) }
    #expect(try folder.names == ["a.log"])
    #expect(try folder.content("a.log") == "line number 9\n")
  }

  @Test func aLineLongerThanAFileIsWrittenWhole() throws {
    let folder = try Folder()
    var file = LogFile(folder.path + "/a.log", maximum: 10, kept: 1)
    try file.append(bytes("short"))
    try file.append(bytes("much longer than the file may be"))
    #expect(try folder.content("a.log") == "much longer than the file may be\n")
    #expect(try folder.content("a.log.1") == "short\n")
  }

  @Test func removedMovedAndCutOff() throws {
    let folder = try Folder()
    let (path, files) = (folder.path + "/a.log", FileManager.default)
    var file = LogFile(path, maximum: 1 << 20, kept: 1)
    try file.append(bytes("one"))
    try files.removeItem(atPath: path)
    try file.append(bytes("two"))
    #expect(try folder.content("a.log") == "two\n")
    // As logrotate does with `create`.
    try files.moveItem(atPath: path, toPath: path + ".old")
    #expect(files.createFile(atPath: path, contents: nil))
    try file.append(bytes("three"))
    #expect(try folder.content("a.log") == "three\n")
    #expect(try folder.content("a.log.old") == "two\n")
    // As it does with `copytruncate`: no hole is left.
    #expect(truncate(path, 0) == 0)
    try file.append(bytes("four"))
    #expect(try folder.content("a.log") == "four\n")
    // The whole folder.
    try files.removeItem(atPath: folder.path)
    #expect(throws: LogFile.Failure.self) { try file.append(bytes("five")) }
    try files.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try file.append(bytes("six"))
    #expect(try folder.content("a.log") == "six\n")
  }

  /// /var/log/inframanager.log is one where the daemon may not write /var/log.
  @Test func aLinkIntoAFolderOfItsOwn() throws {
    let folder = try Folder()
    let files = FileManager.default
    try files.createDirectory(atPath: folder.path + "/own", withIntermediateDirectories: true)
    try files.createSymbolicLink(
      atPath: folder.path + "/a.log", withDestinationPath: "own/a.log")
    var file = LogFile(folder.path + "/a.log", maximum: 20, kept: 1)
    for i in 0..<3 { try file.append(bytes("line number \(i)")) }
    #expect(try folder.names == ["a.log", "own"])
    #expect(
      try files.contentsOfDirectory(atPath: folder.path + "/own").sorted() == ["a.log", "a.log.1"])
    #expect(try folder.content("a.log") == "line number 2\n")
  }

  @Test func othersCannotReadIt() throws {
    let folder = try Folder()
    var file = LogFile(folder.path + "/a.log", maximum: 20, kept: 1)
    try file.append(bytes("one"))
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/a.log")
    #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o137 } == 0)
  }

  @Test(arguments: [
    ("/proc/nowhere/a.log", "make the folder, or name another file in LogFile"),
    ("/dev/null/a.log", "make the folder, or name another file in LogFile"),
    ("/dev", "name another file in LogFile"), ("/dev/full", "is no file; name another in LogFile"),
  ])
  func whatCannotBeWrittenSaysWhatToDo(_ path: String, _ cure: String) {
    var file = LogFile(path, maximum: 100, kept: 1)
    do {
      try file.append(bytes("line"))
      Issue.record("\(path) was written")
    } catch {
      #expect(error.description.hasPrefix(path + ": "))
      #expect(error.description.contains(cure), "\(error)")
    }
  }
}
