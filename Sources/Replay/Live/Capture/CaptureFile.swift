import Core
import Replay

/// Frames in a pcapng file that Wireshark shows as they went: an interface a port, a frame as it
/// came in and, where that is another, as it left, with comments that say what became of it.
///
/// Unchecked: one capture writes it.
public final class CaptureFile: CaptureSink, @unchecked Sendable {
  private let writer: PcapngWriter
  private let words: CaptureWords
  private let began: @Sendable () -> Void
  private var interfaces: [PortID: UInt32] = [:]
  private var last: UInt64 = 0

  /// - Parameters:
  ///   - path: `-` is standard output.
  ///   - began: called when frames are being looked at.
  public init(
    path: String, _ words: CaptureWords, began: @escaping @Sendable () -> Void
  ) throws(ReplayError) {
    writer = try PcapngWriter(path: path)
    self.words = words
    self.began = began
    for port in words.state.ports { interfaces[port.id] = writer.addInterface(named: port.name) }
  }

  public func begin() throws {
    try writer.flush()
    began()
  }

  public func take(_ frame: LiveFrame, number: UInt64) throws {
    last = frame.time
    try writer.write(
      frame.bytes, interface: interface(frame.port), length: frame.length,
      nanoseconds: frame.time, direction: .inbound, packetID: number,
      comments: words.comments(frame, number))
    guard let out = frame.out else { return }
    guard case .forwarded(let port) = frame.fate else { return }
    try writer.write(
      out, interface: interface(port), length: frame.outLength, nanoseconds: frame.time,
      direction: .outbound, packetID: number, comments: words.commentsOut(frame, number, port))
  }

  private func interface(_ port: PortID) -> UInt32 {
    if let known = interfaces[port] { return known }
    let new = writer.addInterface(named: words.port(port))
    interfaces[port] = new
    return new
  }

  public func flush() throws {
    do { try writer.flush() } catch {
      if LineOutput.isClosed { throw CaptureEnd() }
      throw error
    }
  }

  public func end(_ summary: LiveCapture.Summary) throws(ReplayError) {
    if summary.missed > 0, let first = interfaces.values.min() {
      writer.note(missed: summary.missed, interface: first, nanoseconds: last)
    }
    do { try writer.close() } catch {
      if !LineOutput.isClosed { throw error }
    }
  }
}
