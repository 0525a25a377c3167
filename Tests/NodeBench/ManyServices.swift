import ClusterTesting
import Kubernetes

/// Services with ten endpoints each, no two of which are the same.
enum ManyServices {
  static let endpoints = 10

  /// Of Service `number`: 250 groups of addresses, each with ports from 1000 on.
  static func target(_ number: Int) -> (addresses: [String], port: Int) {
    ((0..<endpoints).map { "10.244.\(number % 250).\(2 + $0)" }, 1000 + number / 250)
  }

  static func address(_ number: Int) -> String {
    "10.\(100 + number / 65_536).\(number / 256 % 256).\(number % 256)"
  }

  static func put(_ numbers: Range<Int>, on node: ClusterNode) async throws {
    for number in numbers {
      let target = target(number)
      try await node.put("many-\(number)", address(number), [.init(protocol: "UDP", port: 80)])
      try await node.put(
        endpoints: target.addresses.map { .init(addresses: [$0]) }, of: "many-\(number)",
        ports: [.init(protocol: "UDP", port: target.port)])
    }
  }
}
