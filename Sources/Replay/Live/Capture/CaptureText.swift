import Core
import Foundation
import Replay

/// Frames as lines on standard output: for people, or JSON.
///
/// Unchecked: one capture writes it.
public final class CaptureText: CaptureSink, @unchecked Sendable {
  private let words: CaptureWords
  private let isJSON: Bool
  private let began: @Sendable () -> Void
  private let output = LineOutput()

  /// - Parameter began: called when frames are being looked at.
  public init(_ words: CaptureWords, isJSON: Bool, began: @escaping @Sendable () -> Void) {
    self.words = words
    self.isJSON = isJSON
    self.began = began
  }

  /// A frame in JSON.
  private struct Line: Encodable {
    var time: String
    var port: PortID
    var portName: String
    var length: Int
    var summary: String
    /// Where it went, or why not.
    var forwarded: PortID?
    var forwardedName: String?
    var refused: Bool?
    var dropped: String?
    /// As it left, if otherwise.
    var out: String?

    enum CodingKeys: String, CodingKey {
      case time, port, length, summary, forwarded, refused, dropped, out
      case portName = "port_name"
      case forwardedName = "forwarded_name"
    }
  }

  public func begin() { began() }

  public func take(_ frame: LiveFrame, number: UInt64) throws {
    guard isJSON else { return output.add(words.line(frame)) }
    var line = Line(
      time: ClockTime(frame.time).seconds, port: frame.port, portName: words.port(frame.port),
      length: frame.length, summary: PacketSummary.line(frame.bytes))
    switch frame.fate {
    case .forwarded(let port):
      (line.forwarded, line.forwardedName) = (port, words.port(port))
    case .refused(let port):
      (line.forwarded, line.forwardedName, line.refused) = (port, words.port(port), true)
    case .dropped(let reason): line.dropped = reason
    }
    line.out = frame.out.map(PacketSummary.line)
    output.add(try JSONText.line(line))
  }

  public func flush() throws {
    guard output.flush() else { throw CaptureEnd() }
  }

  public func end(_ summary: LiveCapture.Summary) throws(ReplayError) { _ = output.flush() }
}
