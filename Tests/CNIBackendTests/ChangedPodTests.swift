import CNIBackend
import CNITesting
import Core
import InfraProtos
import NodeTesting
import Testing

/// A pod that is connected, and then is to be, or is made, otherwise.
@Suite(
  .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
struct ChangedPodTests {
  @Test func aSecondAddWithFewerRoutesAndALargerMTU() async throws {
    try await TestNode.run { node in
      let backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      _ = try await backend.add(pod.add)
      // Somebody else's.
      try await pod.namespace.exec("ip", "route", "add", "10.7.0.0/16", "via", "169.254.1.1")
      var request = pod.add
      request.settings.mtu = 1400
      request.containerRoutes = ["10.96.0.0/12", "10.8.0.0/16"]
      _ = try await backend.add(request)
      #expect(
        try await pod.routes() == [
          "169.254.1.1 dev eth0 scope link", "10.96.0.0/12 via 169.254.1.1 dev eth0",
          "10.8.0.0/16 via 169.254.1.1 dev eth0", "10.7.0.0/16 via 169.254.1.1 dev eth0",
        ])
      #expect(try await pod.interface()?.contains("mtu 1400") == true)
      request.settings.mtu = 0
      _ = try await backend.add(request)
      #expect(try await pod.interface()?.contains("mtu 1500") == true)
      // What another plugin of the chain has set stays, with the same request.
      try await pod.namespace.exec("ip", "link", "set", "eth0", "mtu", "1300")
      _ = try await backend.add(request)
      await backend.recover()
      #expect(try await pod.interface()?.contains("mtu 1300") == true)
      try await backend.delete(pod.del)
      #expect(try await node.leftovers() == [])
    }
  }

  enum Then: String, CaseIterable, Sendable { case recover, add, restart, delete }

  /// `tuning` of CNI gives a pod another Ethernet address: it is followed.
  @Test(arguments: Then.allCases)
  func anotherEthernetAddress(_ then: Then) async throws {
    try await TestNode.run { node in
      var backend = try node.backend()
      let pod = try await TestPod("10.244.0.6")
      let before = try await backend.add(pod.add)
      let index = try await pod.index()
      let mac = "02:00:00:00:00:77"
      try await pod.namespace.exec("ip", "link", "set", "eth0", "address", mac)
      switch then {
      case .recover: #expect(await backend.recover())
      case .add: #expect(try await backend.add(pod.add).mac == mac)
      case .restart:
        backend = try node.backend()
        #expect(await backend.recover())
      case .delete: break
      }
      if then != .delete {
        let address = try #require(IPv4Address("10.244.0.6"))
        let network = TestManager.Network(tap: before.tap, mac: try #require(MACAddress(mac)))
        #expect(await node.manager.networks == [address: network])
        #expect(try await pod.index() == index, "the same interface")
        #expect(try await pod.interface()?.contains(mac) == true)
        #expect(try await pod.routes() == TestPod.routes)
        // It is known now, also when the TAP has to be made anew.
        let creations = await node.manager.creations
        try await node.killServer()
        try node.forgetServerState()
        try await node.startServer()
        #expect(await backend.recover())
        #expect(await node.manager.creations > creations)
        #expect(try await pod.interface()?.contains(mac) == true)
        #expect(try await pod.interface()?.contains("LOWER_UP") == true)
      }
      try await backend.delete(pod.del)
      #expect(try await pod.interface() == nil)
      #expect(try await node.leftovers() == [])
    }
  }
}
