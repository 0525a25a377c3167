import CNIBackend
import CNITesting
import InfraProtos
import NodeTesting
import Testing

/// Many requests at a time.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct ParallelTests {
  @Test func twentyPods() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      var pods: [TestPod] = []
      for number in 6..<26 { pods.append(try await TestPod("10.244.0.\(number)")) }
      for _ in 0..<2 {
        let taps = try await withThrowingTaskGroup(of: String.self) { group in
          for pod in pods { group.addTask { try await backend.add(pod.add).tap } }
          return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(taps.count == pods.count)
        #expect(await node.manager.networks.count == pods.count)
        for pod in pods {
          #expect(try await pod.interface()?.contains("\(pod.ip)/32") == true)
          #expect(try await pod.routes() == TestPod.routes)
        }
        try await withThrowingTaskGroup { group in
          for pod in pods { group.addTask { try await backend.delete(pod.del) } }
          try await group.waitForAll()
        }
        #expect(try await node.leftovers() == [])
      }
    }
  }

  /// Add and Del of one pod, in any order: each is whole, and the last Del ends all.
  @Test func onePod() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      try await withThrowingTaskGroup { group in
        for _ in 0..<8 {
          group.addTask { _ = try await backend.add(pod.add) }
          group.addTask { try await backend.delete(pod.del) }
        }
        try await group.waitForAll()
      }
      #expect(try await node.ports.list().count <= 1)
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  /// What looks after pods meanwhile does not touch those that are being connected.
  @Test func recoveryDuringAdds() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      var pods: [TestPod] = []
      for number in 6..<16 { pods.append(try await TestPod("10.244.0.\(number)")) }
      let recovery = Task { while !Task.isCancelled { await backend.recover() } }
      let indices = try await withThrowingTaskGroup(of: (String, String).self) { group in
        for pod in pods {
          group.addTask {
            _ = try await backend.add(pod.add)
            return (pod.ip, try await pod.index())
          }
        }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      await backend.recover()
      recovery.cancel()
      await recovery.value
      for pod in pods { #expect(try await pod.index() == indices[pod.ip]) }
      for pod in pods { try await backend.delete(pod.del) }
      #expect(try await node.leftovers() == [])
    }
  }

  @Test func noTAPLeft() async throws {
    try await TestNode.run(maxPorts: 2) { node in
      let backend = try node.backend()
      let (first, second, third) = (
        try await TestPod("10.244.0.6"), try await TestPod("10.244.0.7"),
        try await TestPod("10.244.0.8")
      )
      _ = try await backend.add(first.add)
      _ = try await backend.add(second.add)
      let error = await #expect(throws: CNIBackendError.self) { try await backend.add(third.add) }
      #expect(error?.code == .noTAP && error?.message.contains("--max-ports") == true)
      #expect(try node.recordFiles().count == 2)
      try await backend.delete(first.del)
      _ = try await backend.add(third.add)
      for pod in [second, third] { try await backend.delete(pod.del) }
      #expect(try await node.leftovers() == [])
    }
  }
}
