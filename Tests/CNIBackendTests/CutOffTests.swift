import CNITesting
import Foundation
import InfraProtos
import NodeTesting
import Testing

@testable import CNIBackend

/// Requests that end half way, and what the next makes of it.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct CutOffTests {
  @Test(arguments: [TestManager.Fault.createRefused, .createAnswerLost])
  func aFailedAddLeavesNothing(_ fault: TestManager.Fault) async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      await node.manager.fail(fault)
      let error = await #expect(throws: TestManager.Failure.self) {
        try await backend.add(pod.add)
      }
      #expect(error?.description == fault.rawValue)
      #expect(try await pod.interface() == nil)
      #expect(try await node.leftovers() == [])
      _ = try await backend.add(pod.add)
      #expect(try await pod.routes() == TestPod.routes)
    }
  }

  /// A pod that is in use does not suffer from an Add that is repeated and fails.
  @Test func aFailedSecondAddChangesNothing() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      _ = try await backend.add(pod.add)
      let before = try await pod.interface()
      await node.manager.fail(.createRefused)
      await #expect(throws: TestManager.Failure.self) { try await backend.add(pod.add) }
      #expect(try await pod.interface() == before)
      #expect(await node.manager.networks.count == 1)
    }
  }

  @Test(arguments: [TestManager.Fault.deleteRefused, .deleteAnswerLost])
  func aFailedDeleteCanBeRepeated(_ fault: TestManager.Fault) async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      _ = try await backend.add(pod.add)
      await node.manager.fail(fault)
      await #expect(throws: TestManager.Failure.self) { try await backend.delete(pod.del) }
      #expect(try node.recordFiles().count == 1)
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  /// The agent dies while the manager has its call; the next agent is asked again. (That
  /// the namespace vanishes, too, is for a real process: this one keeps it open.)
  @Test(
    arguments: [
      TestManager.Fault.createHangsBefore, .createHangsAfter, .deleteHangsBefore, .deleteHangsAfter,
    ], [After.add, .delete, .start])
  func killedInTheManagersCall(_ fault: TestManager.Fault, _ after: After) async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      let killed = try node.backend()
      if fault.rawValue.hasPrefix("delete") { _ = try await killed.add(pod.add) }
      await node.manager.fail(fault)
      let call = Task {
        if fault.rawValue.hasPrefix("delete") {
          try await killed.delete(pod.del)
        } else {
          _ = try await killed.add(pod.add)
        }
      }
      await node.manager.untilItHangs()
      try await after.check(node, pod)
      await node.manager.letGo()
      _ = await call.result
    }
  }

  /// The agent dies between two steps in the kernel.
  @Test(arguments: Stage.allCases, After.allCases)
  func killedInTheKernel(_ stage: Stage, _ after: After) async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      _ = try await node.backend().add(pod.add)
      for command in stage.commands(pod, node) {
        try await Command.check("ip", "-n", pod.namespace.name, "-batch", "-", input: command)
      }
      try await after.check(node, pod)
    }
  }

  /// How far an Add came, told by what is undone from its end.
  enum Stage: String, CaseIterable, Sendable {
    case recorded, moved, renamed, addressed, up

    func commands(_ pod: TestPod, _ node: TestNode) -> [String] {
      switch self {
      case .up: ["route flush dev eth0\n"]
      case .addressed: ["link set eth0 down\n"]
      case .renamed: ["addr flush dev eth0\n", "link set eth0 down\n"]
      case .moved: ["link set eth0 down\n", "link set eth0 name P4TAP_2\n"]
      case .recorded:
        [
          "link set eth0 down\n", "link set eth0 name P4TAP_2\n",
          "link set P4TAP_2 netns \(node.namespace.name)\n",
        ]
      }
    }
  }

  /// What comes next.
  enum After: String, CaseIterable, Sendable {
    case add, delete, start, vanish

    func check(_ node: TestNode, _ pod: TestPod) async throws {
      let backend = try node.backend()
      switch self {
      case .add: _ = try await backend.add(pod.add)
      case .delete: try await backend.delete(pod.del)
      case .start: await backend.recover()
      case .vanish:
        try await pod.vanish()
        // The kernel takes its time for what was in it.
        while try await !node.leftovers().isEmpty {
          await backend.recover()
          try await Task.sleep(for: .milliseconds(10))
        }
      }
      if self == .add || self == .start {
        let interface = try #require(try await pod.interface())
        #expect(interface.contains("inet 10.244.0.6/32") && interface.contains("UP"))
        #expect(try await pod.routes() == TestPod.routes)
        #expect(await node.manager.networks.values.map(\.tap) == ["P4TAP_2"])
        #expect(try await node.ports.list().map(\.name) == ["P4TAP_2"])
        try await backend.delete(pod.del)
      }
      #expect(try await node.leftovers() == [])
      let other = try await TestPod("10.244.0.6")
      _ = try await backend.add(other.add)
      try await backend.delete(other.del)
      #expect(try await node.leftovers() == [])
    }
  }
}
