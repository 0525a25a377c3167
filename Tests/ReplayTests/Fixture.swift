import Core
import Foundation
import Testing

@testable import Replay

/// One folder of `Fixtures`.
struct Fixture: CustomTestStringConvertible, Sendable {
  let name: String
  let folder: URL

  var testDescription: String { name }

  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  static let all: [Fixture] = FixtureFolder.all(in: root.path).map {
    let folder = URL(fileURLWithPath: $0.path)
    return Fixture(name: folder.lastPathComponent, folder: folder)
  }

  /// The captures called `<prefix>-port-<N>.pcap*`, by port.
  func captures(_ prefix: String) -> [CaptureInput] {
    FixtureFolder(path: folder.path).captures(prefix)
  }

  func run() throws -> ReplayRun { try FixtureFolder(path: folder.path).run() }

  /// What a dataplane forwards, by port, in order.
  func forwarded(by loaded: LoadedDataplane) throws -> [PortID: [[UInt8]]] {
    var output: [PortID: [[UInt8]]] = [:]
    _ = try run().run([loaded]) { (frame, _) throws(ReplayError) in
      var bytes = frame.bytes
      if case .forward(let port) = loaded.dataplane.process(
        &bytes, port: frame.port, at: frame.time)
      {
        output[port, default: []].append(bytes)
      }
      return true
    }
    return output
  }

  static func frames(_ input: CaptureInput) throws -> [[UInt8]] {
    let reader = try CaptureReader(path: input.path)
    var frames: [[UInt8]] = []
    while let frame = try reader.next() { frames.append(frame.bytes) }
    return frames
  }
}
