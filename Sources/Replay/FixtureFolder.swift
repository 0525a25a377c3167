import Core
import Foundation

/// A folder with a state file and captures, as those of `Fixtures` are.
public struct FixtureFolder: Hashable, Sendable {
  public var path: String

  public init(path: String) { self.path = path }

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
      throw ReplayError(path, "has no in-port-N.pcap; give a fixture's folder")
    }
    return ReplayRun(state: state, inputs: inputs)
  }
}
