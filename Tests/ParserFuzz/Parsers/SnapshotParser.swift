import Core
import Foundation
import Replay

/// The files beside the state file of a snapshot. The first line of an input says which of them
/// it is; the other ones are good.
public final class SnapshotParser: OutsideParser {
  public static let name = "snapshot"

  private static let tables = """
    k8sdp/v1 tables
    routes 10.244.0.6 route_hop 2 02:00:00:00:02:06 02:00:00:00:00:01
    services 10.96.0.80 80 6 service_select 7 3
    slots 7 0 slot_endpoints 42 128 42 128 42 128 42 128
    endpoints 42 endpoint_host 10.244.0.7 8080
    end 4

    """
  private static let flows = """
    k8sdp/v1 flows hertz 2000000000 cycles 8589934593
    flows 10.244.0.6 40000 10.96.0.80 80 6 1234 flow_hit 42 10.244.0.7 8080 6 1 tcpEstablished 20000
    fragments 10.244.0.6 10.96.0.80 7 17 fragment_hit 42 10.244.0.7 1 tcpReset 4
    end 2

    """
  private static let updates = """
    k8sdp/v1 updates
    at 1000
    modify slots 7 0 slot_endpoints 42 129 42 128 42 128 42 128
    at 2000
    delete routes 10.244.0.6
    end 4

    """

  private let folder: String

  public init() throws {
    folder = NSTemporaryDirectory() + "/parser-fuzz-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let state = """
      apiVersion: k8sdp/v1
      tables: tables.txt
      flows: flows.txt
      updates: updates.txt
      """
    write(Array(state.utf8), "state.yaml")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  public static func seeds(root: String) -> [[UInt8]] {
    [tables, flows, updates].map { Array($0.utf8) }
  }

  private func write(_ bytes: [UInt8], _ name: String) {
    do { try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) } catch {
      preconditionFailure("\(name): \(error)")
    }
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    write(Array(Self.tables.utf8), "tables.txt")
    write(Array(Self.flows.utf8), "flows.txt")
    write(Array(Self.updates.utf8), "updates.txt")
    let first = bytes.prefix { $0 != UInt8(ascii: "\n") }
    let kinds = ["flows", "updates"]
    let kind = kinds.first { String(decoding: first, as: UTF8.self).contains($0) } ?? "tables"
    write(bytes, kind + ".txt")
    guard let state = try? StateFile(contentsOf: folder + "/state.yaml") else { return false }
    // What it takes, a dataplane takes or refuses.
    guard
      let loaded = try? DataplaneFactory.k8sDP(sizes: ["flows": 16, "fragments": 16])
        .make("model", clock: state.clock)
    else { return false }
    return (try? ReplayRun(state: state, inputs: []).run([loaded]) { _, _ in true }) != nil
  }
}
