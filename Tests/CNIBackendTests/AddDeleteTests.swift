import CNIBackend
import CNITesting
import Core
import Foundation
import InfraProtos
import NodeTesting
import Testing

/// Pods in real namespaces, with a real infrap4d.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct AddDeleteTests {
  @Test func addWiresThePod() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      // Add, Del, Add, Del.
      for _ in 0..<2 {
        let connection = try await backend.add(pod.add)
        #expect(connection.tap == "P4TAP_2")
        let interface = try #require(try await pod.interface())
        #expect(interface.contains("inet 10.244.0.6/32"), "\(interface)")
        #expect(interface.contains("mtu 1280") && interface.contains("UP"), "\(interface)")
        #expect(interface.contains(connection.mac), "\(interface)")
        #expect(try await pod.routes() == TestPod.routes)
        // What infrap4d has set on its TAP: it takes partial checksums and long segments.
        let offload = try await pod.namespace.exec("ethtool", "-k", "eth0")
        #expect(offload.contains("tx-checksumming: on"), "\(offload)")
        #expect(offload.contains("tcp-segmentation-offload: on"), "\(offload)")
        let address = try #require(IPv4Address("10.244.0.6"))
        let mac = try #require(MACAddress(connection.mac))
        #expect(
          await node.manager.networks == [address: .init(tap: "P4TAP_2", mac: mac)])
        #expect(try node.recordFiles().count == 1)
        #expect(try await node.links().contains("P4TAP_2") == false)

        try await backend.delete(pod.del)
        #expect(try await pod.interface() == nil)
        #expect(try await node.leftovers() == [])
      }
    }
  }

  @Test func addTwiceAndDeleteTwice() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      try await backend.delete(pod.del)
      let first = try await backend.add(pod.add)
      let before = try await pod.interface()
      #expect(try await backend.add(pod.add) == first)
      #expect(try await pod.interface() == before, "nothing changes")
      #expect(try await pod.routes() == TestPod.routes)
      #expect(try await node.ports.list().count == 1)
      try await backend.delete(pod.del)
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  @Test func anotherAddressForTheSamePod() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      _ = try await backend.add(pod.add)
      var request = pod.add
      request.containerIps[0].address = "10.244.0.7"
      _ = try await backend.add(request)
      let interface = try #require(try await pod.interface())
      #expect(interface.contains("10.244.0.7/32") && !interface.contains("10.244.0.6"))
      #expect(await node.manager.networks.keys.map(\.description) == ["10.244.0.7"])
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  /// A path that means something else to infrap4d, as those of processes do in a container:
  /// the agent moves the TAP.
  @Test func aPodThatInfrap4dDoesNotReach() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      let space = try #require(FileHandle(forReadingAtPath: pod.path))
      defer { withExtendedLifetime(space) {} }
      let path = "/proc/self/fd/\(space.fileDescriptor)"
      var request = pod.add
      request.netns = path
      for _ in 0..<2 {
        let connection = try await backend.add(request)
        let interface = try #require(try await pod.interface())
        #expect(interface.contains("inet 10.244.0.6/32") && interface.contains(connection.mac))
        #expect(interface.contains("LOWER_UP"), "\(interface)")
        #expect(try await pod.routes() == TestPod.routes)
        // infrap4d starts again, and is told of the pod by nobody but itself.
        try await node.killServer()
        try await node.startServer()
        await backend.recover()
        #expect(try await pod.interface()?.contains("LOWER_UP") == true)
        try await backend.delete(
          .with {
            $0.netns = path
            $0.interfaceName = "eth0"
          })
        #expect(try await pod.interface() == nil)
        #expect(try await node.leftovers() == [])
      }
    }
  }

  @Test func deleteWithoutNamespace() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      _ = try await backend.add(pod.add)
      try await pod.vanish()
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
      // The address is free, and so is the TAP's name.
      let next = try await TestPod("10.244.0.6")
      #expect(try await backend.add(next.add).tap == "P4TAP_2")
      #expect(try await next.interface()?.contains("10.244.0.6/32") == true)
      try await backend.delete(next.del)
      #expect(try await node.leftovers() == [])
    }
  }

  @Test func deleteThatNamesNoNamespaceTakesThoseThatAreGone() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let (gone, held, well) = (
        try await TestPod("10.244.0.6"), try await TestPod("10.244.0.7"),
        try await TestPod("10.244.0.8")
      )
      for pod in [gone, held, well] { _ = try await backend.add(pod.add) }
      try await gone.vanish()
      // Its path is not to be seen, but the pod runs: somebody is in the namespace.
      let process = try RunningProgram(
        held.namespace.command(["sh", "-c", "echo ready; exec sleep 1000"]))
      try await process.wait(for: "ready")
      try await held.vanish()
      try await backend.delete(.with { $0.interfaceName = "eth0" })
      #expect(
        await Set(node.manager.networks.keys.map(\.description)) == ["10.244.0.7", "10.244.0.8"])
      #expect(try node.recordFiles().count == 2)
      #expect(try await well.interface() != nil)
      for pod in [held, well] { try await backend.delete(pod.del) }
      #expect(try await node.leftovers() == [])
    }
  }

  @Test func forwardingInThePod() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      var request = pod.add
      request.settings.allowIpForwarding = true
      _ = try await backend.add(request)
      let value = try await pod.namespace.exec("cat", "/proc/sys/net/ipv4/ip_forward")
      #expect(value == "1\n")
    }
  }

  /// infrap4d's frames are no longer than the TAP's MTU: a pod gets no more.
  @Test func theMTUIsAtMostTheTAPs() async throws {
    try await TestNode.run { node in
      let backend = try node.backend { $0.mtu = 1400 }
      let pod = try await TestPod("10.244.0.6")
      var request = pod.add
      for (asked, expected) in [(1500, 1400), (0, 1400), (1300, 1300)] {
        request.settings.mtu = Int32(asked)
        _ = try await backend.add(request)
        #expect(try await pod.interface()?.contains("mtu \(expected)") == true, "\(asked)")
        try await backend.delete(pod.del)
      }
    }
  }

  @Test func anInterfaceOfOthers() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      try await pod.namespace.exec("ip", "tuntap", "add", "dev", "eth0", "mode", "tap")
      let before = try await pod.interface()
      let error = await #expect(throws: CNIBackendError.self) { try await backend.add(pod.add) }
      #expect(error?.code == .interfaceInUse)
      #expect(try await pod.interface() == before)
      #expect(try await node.leftovers() == [])
      try await pod.namespace.exec("ip", "link", "del", "eth0")
      _ = try await backend.add(pod.add)
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  @Test func oneAddressTwice() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let (first, second) = (try await TestPod("10.244.0.6"), try await TestPod("10.244.0.6"))
      let connection = try await backend.add(first.add)
      let error = await #expect(throws: CNIBackendError.self) { try await backend.add(second.add) }
      #expect(error?.code == .addressInUse && error?.message.contains(first.path) == true)
      #expect(try await second.interface() == nil)
      #expect(try await first.interface()?.contains(connection.mac) == true)
      // One that is gone without a Del holds no address.
      try await first.vanish()
      _ = try await backend.add(second.add)
      try await backend.delete(second.del)
      #expect(try await node.leftovers() == [])
    }
  }
}
