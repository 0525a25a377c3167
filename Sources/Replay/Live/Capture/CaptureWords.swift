import Core
import Replay

/// How a frame's way is put into words.
public struct CaptureWords: Sendable {
  let state: NodeState
  private let names: NodeNames
  private let isNumeric: Bool

  /// - Parameter isNumeric: no names of pods.
  public init(_ state: NodeState, _ names: NodeNames, isNumeric: Bool) {
    self.state = state
    self.names = names
    self.isNumeric = isNumeric
  }

  func port(_ id: PortID) -> String { state.portName(id) }

  /// For the frame as it came in.
  func comments(_ frame: LiveFrame, _ number: UInt64) -> [String] {
    var comments = ["frame \(number), in by \(place(frame.port, sender(frame.bytes)))"]
    switch frame.fate {
    case .forwarded(let port):
      comments.append(
        "forwarded to \(place(port, receiver(frame.out ?? frame.bytes)))"
          + (frame.out == nil ? ", unchanged" : frame.translation.map { ", \($0)" } ?? ""))
    case .refused(let port):
      comments.append(
        "forwarded to \(place(port, receiver(frame.out ?? frame.bytes))), whose interface did not "
          + "take it: it is down, or its queue is full")
    case .dropped(let reason):
      comments.append(
        "dropped: \(reason)" + (DropReason.meaning(reason).map { " (\($0))" } ?? ""))
    }
    return comments
  }

  /// For the frame as it left.
  func commentsOut(_ frame: LiveFrame, _ number: UInt64, _ port: PortID) -> [String] {
    [
      "frame \(number), out by \(place(port, receiver(frame.out ?? frame.bytes)))"
        + (frame.translation.map { ", \($0)" } ?? "")
    ]
  }

  /// A line for a terminal, like those of tcpdump.
  ///
  /// ```
  /// 09:31:07.123456 default/client > default/web-1  TCP 10.244.0.6:41000 > 10.96.0.80:80 [SYN] len 0, DNAT to 10.244.0.7:8080
  /// 09:31:08.000001 default/client dropped no_service  TCP 10.244.0.6:41001 > 10.96.0.80:81 [SYN] len 0
  /// ```
  func line(_ frame: LiveFrame) -> String {
    let from = short(frame.port, sender(frame.bytes))
    let way: String
    switch frame.fate {
    case .forwarded(let port): way = "> \(short(port, receiver(frame.out ?? frame.bytes)))"
    case .refused(let port):
      way = "> \(short(port, receiver(frame.out ?? frame.bytes))) refused"
    case .dropped(let reason): way = "dropped \(reason)"
    }
    let translation = frame.translation.map { ", \($0)" } ?? ""
    return
      "\(ClockTime(frame.time)) \(from) \(way)  \(PacketSummary.line(frame.bytes))\(translation)"
  }

  /// `P4TAP_3 (default/web-1)`.
  private func place(_ port: PortID, _ pod: String?) -> String {
    self.port(port) + (pod.map { " (\($0))" } ?? "")
  }

  /// `default/web-1`, or the port.
  private func short(_ port: PortID, _ pod: String?) -> String { pod ?? self.port(port) }

  private func sender(_ frame: [UInt8]) -> String? { pod(FrameLayers(frame).ipv4?.source) }

  private func receiver(_ frame: [UInt8]) -> String? { pod(FrameLayers(frame).ipv4?.destination) }

  private func pod(_ address: IPv4Address?) -> String? {
    isNumeric ? nil : address.flatMap { names.pod($0) }
  }
}
