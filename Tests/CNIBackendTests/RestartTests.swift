import CNITesting
import Core
import Foundation
import InfraProtos
import NodeTesting
import Testing

@testable import CNIBackend

/// What the agent and infrap4d know after they, or the machine, were started again.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct RestartTests {
  @Test func theAgentForgetsNoTAP() async throws {
    try await TestNode.run { node in
      let (first, second) = (try await TestPod("10.244.0.6"), try await TestPod("10.244.0.7"))
      let tap = try await node.backend().add(first.add).tap
      let backend = try node.backend()
      #expect(try await backend.add(second.add).tap != tap)
      #expect(try await node.ports.list().count == 2)
      try await backend.delete(first.del)
      // Its name is free.
      let third = try await TestPod("10.244.0.8")
      #expect(try await backend.add(third.add).tap == tap)
      for pod in [second, third] { try await backend.delete(pod.del) }
      #expect(try await node.leftovers() == [])
    }
  }

  @Test func aTAPWithoutRecordIsLeftWhereItIs() async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      try await node.ports.create("P4TAP_2", mtu: 1500)
      try await Command.check(
        "ip", "-n", node.namespace.name, "link", "set", "P4TAP_2", "netns", pod.namespace.name)
      let backend = try node.backend()
      let other = try await TestPod("10.244.0.7")
      #expect(try await backend.add(other.add).tap == "P4TAP_3")
      #expect(try await pod.interface("P4TAP_2") != nil)
    }
  }

  /// infrap4d lost its state: the pod's TAP is dead. A start of the agent makes it anew.
  @Test func infrap4dForgotThePort() async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      let connection = try await node.backend().add(pod.add)
      try await node.killServer()
      try node.forgetServerState()
      try await node.startServer()
      #expect(try await node.ports.list().isEmpty)
      let backend = try node.backend()
      await backend.recover()
      let interface = try #require(try await pod.interface())
      #expect(interface.contains(connection.mac), "\(interface)")
      #expect(
        try await node.ports.list() == [
          TAPPort(
            name: connection.tap, id: 0, isPresent: true, mac: MACAddress(connection.mac))
        ])
      // Something reads it: without infrap4d the link has no carrier.
      #expect(interface.contains("LOWER_UP"), "\(interface)")
      #expect(try await pod.routes() == TestPod.routes)
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  /// After a restart of the machine there are records, but no namespaces.
  @Test func theMachineRestarted() async throws {
    try await TestNode.run { node in
      let pods = [try await TestPod("10.244.0.6"), try await TestPod("10.244.0.7")]
      let before = try node.backend()
      for pod in pods { _ = try await before.add(pod.add) }
      try await node.killServer()
      for pod in pods { try await pod.vanish() }
      try await node.startServer()
      let backend = try node.backend()
      await backend.recover()
      #expect(try await node.leftovers() == [])
      for pod in pods { try await backend.delete(pod.del) }
    }
  }

  /// Another namespace at a path that a record has: the old pod is gone.
  @Test func anotherNamespaceAtThePath() async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      let backend = try node.backend()
      _ = try await backend.add(pod.add)
      try await pod.vanish()
      try await Command.check("ip", "netns", "add", pod.namespace.name)
      let connection = try await backend.add(pod.add)
      #expect(try await pod.interface()?.contains(connection.mac) == true)
      #expect(await node.manager.networks.count == 1)
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  @Test func aDamagedRecordIsPutAside() async throws {
    try await TestNode.run { node in
      let pod = try await TestPod("10.244.0.6")
      _ = try await node.backend().add(pod.add)
      let file = try #require(try node.recordFiles().first)
      for bytes in ["", "{", "{}", #"{"version":2}"#, "\u{0}\u{1}"] {
        try Data(bytes.utf8).write(to: URL(fileURLWithPath: "\(node.options.folder)/\(file)"))
        _ = try node.backend()
        #expect(try node.recordFiles() == [file + ".damaged"], "\(bytes)")
      }
    }
  }
}
