import Core
import Foundation

/// A folder with a state file and captures, as those of `Fixtures` are.
public struct FixtureFolder: Hashable, Sendable {
  public var path: String

  public init(path: String) { self.path = path }

  /// The folder's own name.
  public var name: String { URL(fileURLWithPath: path).lastPathComponent }

  /// The folders in another one that have a state file, by name.
  public static func all(in path: String) -> [FixtureFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.sorted().map { FixtureFolder(path: "\(path)/\($0)") }
      .filter { FileManager.default.fileExists(atPath: $0.path + "/state.yaml") }
  }

  /// Tables in which the fixtures of this project have room, small enough to read
  /// every entry after every frame.
  static let sizes = [
    "flows": 256, "fragments": 16, "slots": 4096, "endpoints": 1024, "routes": 1024,
    "arp_targets": 1024, "services": 256,
  ]

  /// Its captures called `<prefix>-port-<N>.pcap` or `.pcapng`, by port.
  public func captures(_ prefix: String) -> [CaptureInput] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return files.compactMap { file -> CaptureInput? in
      guard file.hasPrefix(prefix + "-port-"), let dot = file.firstIndex(of: "."),
        let port = PortID(file[..<dot].dropFirst(prefix.count + 6))
      else { return nil }
      return CaptureInput(port: port, path: "\(path)/\(file)")
    }
    .sorted { $0.port < $1.port }
  }

  /// Its input captures on its state.
  public func run() throws(ReplayError) -> ReplayRun {
    let inputs = captures("in")
    let state = try StateFile(contentsOf: "\(path)/state.yaml")
    guard !inputs.isEmpty else {
      throw ReplayError(
        path,
        "has no frames in in-port-N.pcap or .pcapng; take a snapshot with --duration, or give a "
          + "fixture's folder")
    }
    return ReplayRun(state: state, inputs: inputs)
  }
}
