#if DPDK && canImport(DPDKDataplane)
  import Foundation
  import GRPCCore
  import NodeTesting
  import P4RuntimeProtos
  import P4RuntimeTesting
  import Testing

  /// Counters and timeouts of entries in the real server, with pods that talk.
  @Suite(
    .serialized, .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
  struct EntryResourceTests {
    private static let clientIP: [UInt8] = [10, 244, 0, 6]
    private static let webIP: [UInt8] = [10, 244, 0, 7]

    private static func mac(_ ip: [UInt8]) -> [UInt8] { [2, 0, 0, 0, 2, ip[3]] }

    private static func text(_ ip: [UInt8]) -> String {
      ip.map(String.init).joined(separator: ".")
    }

    /// A host behind a port, of which the controller is told when it is idle.
    private static func host(
      _ border: Border, _ ip: [UInt8], port: UInt8, milliseconds: Int64 = 0
    ) -> P4_V1_TableEntry {
      .row(border.hosts, ip, action: .call(border.toHost, [port], mac(ip))).with {
        $0.idleTimeoutNs = milliseconds * 1_000_000
      }
    }

    private func pod(
      _ server: ServerProcess, _ ip: [UInt8]
    ) async throws -> Pod {
      let tap = NetworkNamespace.fresh("tap")
      let set = try await GNMIClient(server: server).ctl(
        "set", "device:virtual-device,name:\(tap),port-type:TAP")
      #expect(set.status == 0, "\(set)")
      let mac = Self.mac(ip).map { String(format: "%02x", $0) }.joined(separator: ":")
      return try await Pod(
        tap, ip: Self.text(ip), mac: mac, gatewayMAC: "02:00:00:00:00:01")
    }

    private static func read(
      _ client: TestController.Client, _ entity: P4_V1_Entity
    ) async throws -> [P4_V1_Entity] {
      try await client.read(
        .with {
          $0.deviceID = 1
          $0.entities = [entity]
        }
      ) { response in
        try await response.messages.reduce(into: []) { $0 += $1.entities }
      }
    }

    private static func counts(
      _ client: TestController.Client, _ entry: P4_V1_TableEntry
    ) async throws -> [Int64] {
      try await read(client, .directCounter(entry.key, data: false)).flatMap {
        [$0.directCounterEntry.data.packetCount, $0.directCounterEntry.data.byteCount]
      }
    }

    private static func write(
      _ client: TestController.Client, _ updates: [P4_V1_Update]
    ) async throws {
      _ = try await client.write(
        .with {
          $0.deviceID = 1
          $0.electionID.low = 1
          $0.updates = updates
        })
    }

    @Test func podsAreCountedAndIdleOnesTold() async throws {
      let border = try Border()
      let server = try ServerProcess()
      try await server.start(["--dataplane", "dpdk"])
      let client = try await pod(server, Self.clientIP)
      let web = try await pod(server, Self.webIP)
      let hosts = [
        Self.host(border, Self.clientIP, port: 0), Self.host(border, Self.webIP, port: 1),
      ]
      let idle = Self.host(border, Self.webIP, port: 1, milliseconds: 200)
      try await withGRPCClient(transport: try TestController.unix(server.socket)) { grpc in
        let p4runtime = TestController.Client(wrapping: grpc)
        let session = Session(p4runtime)
        session.arbitrate((0, 1))
        _ = try await session.news()
        _ = try await p4runtime.setForwardingPipelineConfig(
          .with {
            $0.deviceID = 1
            $0.electionID.low = 1
            $0.action = .verifyAndCommit
            $0.config = border.config
          })
        try await Self.write(p4runtime, hosts.map { P4_V1_Entity.table($0).insert })
        // As soon as the interfaces are up.
        while (try? await client.exec("ping", "-c", "1", "-W", "1", web.ip)) == nil {}
        try await Self.write(
          p4runtime, hosts.map { P4_V1_Entity.directCounter($0.key).modify })
        // 20 bytes of IPv4, 8 of ICMP, and 56.
        try await client.exec("ping", "-c", "3", "-i", "0.01", web.ip)
        for host in hosts { #expect(try await Self.counts(p4runtime, host) == [3, 252]) }
        // Nothing but the test's own packets goes there.
        try await Self.write(p4runtime, [P4_V1_Entity.table(idle).modify])
        for _ in 0..<2 {
          guard case .idleTimeoutNotification(let told)? = try await session.next()?.update
          else {
            Issue.record("another message")
            return
          }
          #expect(told.tableEntry == [idle])
        }
      }
      // What counts is the process; timeouts go on.
      try await server.killHard()
      try await server.start(["--dataplane", "dpdk"])
      try await withGRPCClient(transport: try TestController.unix(server.socket)) { grpc in
        let p4runtime = TestController.Client(wrapping: grpc)
        #expect(
          try await Self.read(p4runtime, .table(.row(border.hosts)))
            == [.table(hosts[0]), .table(idle)])
        #expect(try await Self.counts(p4runtime, hosts[0]) == [0, 0])
        let session = Session(p4runtime)
        session.arbitrate((0, 1))
        _ = try await session.news()
        guard case .idleTimeoutNotification(let told)? = try await session.next()?.update else {
          Issue.record("another message")
          return
        }
        #expect(told.tableEntry == [idle])
        try await client.exec("ping", "-c", "2", "-i", "0.01", web.ip)
        #expect(try await Self.counts(p4runtime, idle) == [2, 168])
      }
      #expect(try await server.stop() == 0)
    }
  }
#endif
