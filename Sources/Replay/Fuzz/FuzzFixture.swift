import Core
import Foundation

/// Writes an episode as a fixture: `state.yaml`, `in-port-2.pcapng`, `README.md`.
struct FuzzFixture {
  private let episode: FuzzEpisode
  private let what: String
  /// 2026-01-01 00:00 UTC, for time stamps.
  private static let epoch: UInt64 = 1_767_225_600_000_000_000

  init(_ episode: FuzzEpisode, what: String) {
    self.episode = episode
    self.what = what
  }

  func write(to path: String) throws(ReplayError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data(state.utf8).write(to: URL(fileURLWithPath: path + "/state.yaml"))
      try Data(readme.utf8).write(to: URL(fileURLWithPath: path + "/README.md"))
    } catch { throw ReplayError(path, "cannot be written; check its permissions") }
    let capture = try PcapngWriter(
      path: "\(path)/in-port-\(FuzzEpisode.port).pcapng", interface: "port-\(FuzzEpisode.port)")
    for step in episode.steps {
      guard case .frame(let bytes) = step.event else { continue }
      try capture.write(bytes, nanoseconds: Self.epoch + step.time.nanoseconds)
    }
    try capture.close()
  }

  private var readme: String {
    let sizes = ["flows", "fragments"].map { "\($0) \(episode.sizes[$0] ?? 0)" }
    return "Found by fuzzing, seed \(episode.seed): \(what)\n"
      + "Tables had \(sizes.joined(separator: ", ")) buckets.\n"
  }

  private var state: String {
    var text = "apiVersion: k8sdp/v1\n" + sections(episode.intent, indent: "")
    if !episode.timers.isEmpty {
      let timers = episode.timers.sorted { $0.key.rawValue < $1.key.rawValue }
      text += "timers: {\(timers.map { "\($0.key.name): \($0.value)" }.joined(separator: ", "))}\n"
    }
    var events = ""
    for step in episode.steps {
      guard case .intent(let intent) = step.event else { continue }
      events += "  - at: \(TraceText.seconds(step.time))\n" + sections(intent, indent: "    ")
    }
    return events.isEmpty ? text : text + "events:\n" + events
  }

  private func sections(_ intent: Intent, indent: String) -> String {
    var text = ""
    for (key, interface) in [("gateway", intent.gateway), ("host", intent.host)] {
      if let interface { text += "\(indent)\(key): {\(address(interface))}\n" }
    }
    text += "\(indent)pods:\(intent.pods.isEmpty ? " []" : "")\n"
    for pod in intent.pods { text += "\(indent)  - {name: \(pod.name), \(address(pod))}\n" }
    text += "\(indent)services:\(intent.services.isEmpty ? " []" : "")\n"
    for service in intent.services {
      text += "\(indent)  - name: \(service.name)\n\(indent)    clusterIP: \(service.clusterIP)\n"
      text += "\(indent)    ports:\(service.ports.isEmpty ? " []" : "")\n"
      for port in service.ports {
        let endpoints = port.endpoints.map {
          "{address: \($0.address), port: \($0.port), weight: \($0.weight)}"
        }
        text +=
          "\(indent)      - {protocol: \(port.transport == .tcp ? "TCP" : "UDP"), "
          + "port: \(port.port), endpoints: [\(endpoints.joined(separator: ", "))]}\n"
      }
    }
    return text
  }

  private func address(_ interface: Intent.Interface) -> String {
    "ip: \(interface.ip), mac: \"\(interface.mac)\", port: \(interface.port)"
  }
}
