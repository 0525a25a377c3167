import Core
import Foundation
import InspectionProtos
import Metrics

extension NodeWatch {
  /// What `k8sdp top` shows.
  func inspection() async -> K8sdp_V1_GetStatusResponse {
    let (node, outline, health, _) = await look()
    return .with {
      $0.time = UInt64(max(0, node.date.timeIntervalSince1970) * 1e9)
      $0.version = Release.version
      $0.host = ProcessInfo.processInfo.hostName
      $0.engine = engine
      $0.pipeline =
        node.pipeline.map { $0.contract.isK8sDP ? .k8SDp : .other } ?? K8sdp_V1_Pipeline.none
      $0.health = health.level.rawValue
      $0.reasons = health.reasons
      $0.ports = node.ports.map { port in
        .with {
          $0.id = port.id
          $0.name = port.description.name
          $0.interface = port.location?.name ?? ""
          $0.isUp = port.isUp
          $0.framesIn = port.counters.framesIn
          $0.bytesIn = port.counters.bytesIn
          $0.framesOut = port.counters.framesOut
          $0.bytesOut = port.counters.bytesOut
          $0.dropped = port.counters.dropped
          $0.refused = port.counters.refused
          $0.errors = port.counters.errorsIn + port.counters.errorsOut
        }
      }
      $0.tables = tables(node)
      for port in node.ports {
        $0.dropped.merge(port.counters.dropped, uniquingKeysWith: +)
      }
      $0.connections = Dictionary(
        uniqueKeysWithValues: (node.flows?.connections ?? [:]).map {
          ($0.key.name, UInt64($0.value))
        })
      $0.pods = outline.pods.map { pod in
        .with {
          $0.address = pod.address.value
          $0.port = pod.port
        }
      }
      $0.services = outline.services.map { service in
        .with {
          $0.address = service.target.address.value
          $0.port = UInt32(service.target.port)
          $0.protocol = service.target.transport
          $0.connections = UInt64(node.flows?.targets[service.target] ?? 0)
          $0.endpoints = UInt64(service.endpointCount)
        }
      }
    }
  }

  private func tables(_ node: NodeSnapshot) -> [K8sdp_V1_Table] {
    node.tables.map { table in
      .with {
        $0.name = table.name
        $0.entries = UInt64(table.entries)
        $0.capacity = UInt64(table.capacity)
        let counters = node.pipeline?.counters
        if let lookups = counters?.tables[table.name] {
          $0.hits = lookups.hit
          $0.misses = lookups.miss
        }
        if let lookups = counters?.learners[table.name] {
          $0.hits = lookups.hit
          $0.misses = lookups.miss
          $0.learned = lookups.learned
          $0.learnFailures = lookups.learnFailed
        }
      }
    }
  }
}
