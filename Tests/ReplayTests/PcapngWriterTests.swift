import Foundation
import Testing

@testable import Replay

@Suite struct PcapngWriterTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  func write(_ name: String, _ comment: String?) throws -> String {
    let path = "\(scratch.path)/\(name)"
    let writer = try PcapngWriter(path: path, interface: "port-3")
    try writer.write(
      tcpFrame(), nanoseconds: 1_700_000_000_123_456_789, comments: comment.map { [$0] } ?? [])
    try writer.write([1, 2, 3], nanoseconds: 1_700_000_000_123_456_790)
    try writer.close()
    return path
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let reader = try CaptureReader(path: try write("a.pcapng", "why it went there"))
    let first = try #require(try reader.next())
    #expect(first.bytes == tcpFrame())
    #expect(first.nanoseconds == 1_700_000_000_123_456_789)
    #expect(try reader.next()?.bytes == [1, 2, 3])
    #expect(try reader.next() == nil)
  }

  @Test func theSameFramesGiveTheSameBytes() throws {
    _ = try write("a.pcapng", "x")
    _ = try write("b.pcapng", "x")
    #expect(try scratch.read("a.pcapng") == scratch.read("b.pcapng"))
  }

  /// A pipe is written to, as a device would be, and a link's file; neither is replaced.
  @Test func whatIsThereStaysWhatItIs() throws {
    let (pipe, link) = ("\(scratch.path)/pipe", "\(scratch.path)/link")
    #expect(mkfifo(pipe, 0o600) == 0)
    let reader = open(pipe, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "\(scratch.path)/target")
    _ = try write("pipe", nil)
    _ = try write("link", nil)
    let wanted = try scratch.read("target")
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    #expect(read(reader, &bytes, bytes.count) == wanted.count && !wanted.isEmpty)
    #expect(Array(bytes.prefix(wanted.count)) == Array(wanted))
    for (path, type) in [(pipe, S_IFIFO), (link, S_IFLNK)] {
      var status = stat()
      #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == type)
    }
  }

  @Test func theHeadersAreTheseBytes() throws {
    _ = try write("a.pcapng", nil)
    let bytes = try scratch.read("a.pcapng")
    var expected: [UInt8] = [
      0x0A, 0x0D, 0x0D, 0x0A, 44, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0,
      255, 255, 255, 255, 255, 255, 255, 255, 4, 0, 5, 0,
    ]
    expected += Array("k8sdp".utf8) + [0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0]
    expected += [1, 0, 0, 0, 44, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 6, 0]
    expected += Array("port-3".utf8) + [0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0]
    #expect(Array(bytes.prefix(expected.count)) == expected)
  }

  @Test(arguments: [65_534, 65_535, 65_536, 100_000])
  func longCommentsAreCutAtACharacter(length: Int) throws {
    let comment = String(repeating: "→", count: length / 3)
    let reader = try CaptureReader(path: try write("a.pcapng", comment))
    #expect(try reader.next()?.bytes == tcpFrame())
    #expect(try reader.next()?.bytes == [1, 2, 3])
    let text = String(decoding: try scratch.read("a.pcapng"), as: UTF8.self)
    #expect(text.contains("→→→"))
  }

  /// Several interfaces, frames that were cut, directions, packet ids and counts of what is
  /// missing: libpcap takes them all, and the bytes are as the format has them.
  @Test func interfacesAndDirections() throws {
    let path = "\(scratch.path)/many.pcapng"
    let writer = try PcapngWriter(path: path)
    #expect(writer.addInterface(named: "P4TAP_2") == 0)
    #expect(writer.addInterface(named: "P4TAP_3") == 1)
    try writer.write(tcpFrame(), interface: 1, nanoseconds: 7, direction: .outbound, packetID: 9)
    try writer.write([1, 2, 3, 4], interface: 0, length: 4, nanoseconds: 8)
    #expect(writer.addInterface(named: "late") == 2)
    try writer.write([5], interface: 2, nanoseconds: 9, direction: .inbound, comments: ["c"])
    writer.note(missed: 3, interface: 0, nanoseconds: 9)
    try writer.close()
    #expect(writer.count == 3)
    let reader = try CaptureReader(path: path)
    #expect(try reader.next()?.bytes == tcpFrame())
    #expect(try reader.next()?.bytes == [1, 2, 3, 4])
    #expect(try reader.next()?.bytes == [5])
    #expect(try reader.next() == nil)
    let bytes = try scratch.read("many.pcapng")
    func contains(_ part: [UInt8]) -> Bool {
      bytes.indices.contains { bytes[$0...].starts(with: part) }
    }
    // epb_flags: outbound; epb_packetid; isb_ifdrop.
    #expect(contains([2, 0, 4, 0, 2, 0, 0, 0, 5, 0, 8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
    #expect(contains([1, 0, 1, 0, UInt8(ascii: "c"), 0, 0, 0, 2, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0]))
    #expect(contains([5, 0, 8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
  }

  @Test func aFolderThatIsNotThereIsAnError() {
    #expect(throws: ReplayError.self) {
      try PcapngWriter(path: "/nowhere/at/all.pcapng", interface: "port-1")
    }
  }
}
