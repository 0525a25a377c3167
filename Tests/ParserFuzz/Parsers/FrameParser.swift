import Core
import Replay
import SimDataplane

/// Frames through the model, each also traced. An input is frames one after the other, each
/// behind two bytes of length.
public struct FrameParser: OutsideParser {
  public static let name = "frame"
  /// So that an input of many tiny frames is not slow.
  private static let mostFrames = 16

  public init() {}

  public static func seeds(root: String) throws -> [[UInt8]] {
    try Seeds.captures(root: root).map { path in
      let reader = try CaptureReader(path: path)
      var bytes: [UInt8] = []
      for _ in 0..<6 {
        guard let frame = try reader.next(), frame.bytes.count <= 1514 else { break }
        bytes += [UInt8(frame.bytes.count >> 8), UInt8(frame.bytes.count & 0xFF)] + frame.bytes
      }
      return bytes
    }
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    let frames = Self.frames(bytes)
    var options = SimDataplane.Options()
    options.ports = 16
    options.sizes = [
      "services": 16, "slots": 64, "endpoints": 16, "routes": 16, "arp_targets": 16, "flows": 4,
      "fragments": 1,
    ]
    let plane = SimDataplane(options: options)
    let traced = SimDataplane(options: options)
    guard Self.fill(plane), Self.fill(traced) else { preconditionFailure("not a good intent") }
    for (i, frame) in frames.enumerated() {
      let time = Timestamp.seconds(Double(i) / 2)
      var one = frame
      var two = frame
      let verdict = plane.process(&one, port: 2, at: time)
      let trace = traced.trace(&two, port: 2, at: time, names: NameBook())
      precondition(verdict == trace.verdict, "a trace changes the verdict")
      precondition(one.count == frame.count, "a frame changed its length")
      if case .forward = verdict { precondition(one == two, "a trace changes the frame") }
      _ = PacketSummary.line(frame)
    }
    return !frames.isEmpty
  }

  private static func frames(_ bytes: [UInt8]) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    var rest = bytes[...]
    while rest.count >= 2, frames.count < mostFrames {
      let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
      rest = rest.dropFirst(2)
      frames.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return frames
  }

  private static func fill(_ plane: SimDataplane) -> Bool {
    func pod(_ n: UInt32) -> Intent.Interface {
      Intent.Interface(
        name: "pod-\(n)", ip: IPv4Address(0x0AF4_0000 + n),
        mac: MACAddress(0x0200_0000_0200 + UInt64(n)), port: n)
    }
    let endpoints = [7, 8].map {
      Intent.Endpoint(address: IPv4Address(0x0AF4_0000 + $0), port: 8080)
    }
    let intent = Intent(
      pods: [6, 7, 8].map(pod),
      services: [
        Intent.Service(
          name: "web", clusterIP: IPv4Address(0x0A60_0050),
          ports: TransportProtocol.allCases.map {
            Intent.ServicePort(transport: $0, port: 80, endpoints: endpoints)
          })
      ])
    var compiler = IntentCompiler()
    guard let updates = try? compiler.updates(for: intent) else { return false }
    return (try? plane.apply(updates)) != nil
  }
}
