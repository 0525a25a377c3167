import Core
import InspectionProtos
import Replay

/// A frame that went through a running node.
public struct LiveFrame: Hashable, Sendable {
  public enum Fate: Hashable, Sendable {
    case forwarded(PortID)
    /// Forwarded, but the interface of the port did not take it.
    case refused(PortID)
    /// The reason's name.
    case dropped(String)
  }

  /// Nanoseconds since 1970.
  public var time: UInt64
  public var port: PortID
  public var fate: Fate
  /// As it came in, cut, and its length before that.
  public var bytes: [UInt8]
  public var length: Int
  /// As it left; nil when it was dropped, or is the same.
  public var out: [UInt8]?
  public var outLength: Int
  /// Whether a pipeline has seen it.
  public var enteredPipeline: Bool

  init(_ message: K8sdp_V1_Frame) {
    time = message.time
    port = message.port
    switch message.verdict {
    case .forwarded(let port): fate = message.refused ? .refused(port) : .forwarded(port)
    case .dropped(let reason): fate = .dropped(reason)
    case nil: fate = .dropped("unknown")
    }
    bytes = [UInt8](message.data)
    length = Int(message.length)
    out = message.hasOut ? [UInt8](message.out) : nil
    outLength = message.hasOut ? Int(message.outLength) : length
    enteredPipeline = !message.bypassed
  }

  /// `DNAT to 10.244.0.7:8080` or `SNAT to 10.96.0.80:80`; nil for a frame whose addresses and
  /// ports are those that it came with.
  public var translation: String? {
    guard let out, let before = Ends(bytes), let after = Ends(out) else { return nil }
    if before.destination != after.destination { return "DNAT to \(after.destination)" }
    if before.source != after.source { return "SNAT to \(after.source)" }
    return nil
  }

  /// Addresses and ports of an IPv4 packet.
  private struct Ends: Equatable {
    var source: String
    var destination: String

    init?(_ frame: [UInt8]) {
      let layers = FrameLayers(frame)
      guard let ip = layers.ipv4 else { return nil }
      source = ip.source.description
      destination = ip.destination.description
      guard ip.offset == 0, TransportProtocol(rawValue: ip.transport) != nil,
        let from = layers.u16(ip.header.upperBound + TCPHeader.sourcePort),
        let to = layers.u16(ip.header.upperBound + TCPHeader.destinationPort)
      else { return }
      source += ":\(from)"
      destination += ":\(to)"
    }
  }
}

extension DropReason {
  /// A reason in words, by its name.
  static func meaning(_ name: String) -> String? {
    allCases.first { $0.name == name }?.meaning
  }
}
