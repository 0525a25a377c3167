import Core
import Foundation
import Hosting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// The pipeline of upstream's release v23.01, from the file that the environment names.
private let upstreamFile = ProcessInfo.processInfo.environment["K8SDP_UPSTREAM_PB"]

/// What upstream's Infra Manager writes is taken in its order and its encodings, and the
/// pipeline that it writes it for forwards as it says.
@Suite(
  .serialized, .timeLimit(.minutes(15)),
  .enabled(if: upstreamFile != nil, "K8SDP_UPSTREAM_PB does not name upstream's k8s_dp.pb.bin"))
struct UpstreamManagerTests {
  private static let hostMAC: [UInt8] = [2, 0, 0, 0, 1, 2]
  private static let gateway = MACAddress(0x0200_0000_0001)

  private struct Pod {
    let address: [UInt8]
    let port: UInt32
    var mac: [UInt8] { [2, 0, 0, 0, 2, address[3]] }
    var ip: IPv4Address { UpstreamManagerTests.ip(address) }
    var hardware: MACAddress { MACAddress(mac.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }
  }

  private static func ip(_ address: [UInt8]) -> IPv4Address {
    IPv4Address(address.reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
  }

  private static let pods = (6...9).map { Pod(address: [10, 244, 0, $0], port: UInt32($0) - 4) }
  private static let client = pods[0]
  private static let web = UpstreamManager.Service(
    protocolName: "TCP", address: [10, 96, 0, 10], port: 80, group: 1)
  private static let dns = UpstreamManager.Service(
    protocolName: "UDP", address: [10, 96, 0, 10], port: 53, group: 2)

  private static func endpoints(_ range: Range<Int>, port: UInt16) -> [UpstreamManager.Endpoint] {
    range.map { .init(address: pods[$0 + 1].address, port: port, number: UInt32($0)) }
  }

  /// Starts as the manager does, with a node of four pods and two Services.
  private func run(
    _ engine: DataplaneMaker,
    _ body: @Sendable @escaping (TestServer) async throws -> Void
  ) async throws {
    try await TestServer.run(engine) { server in
      let session = Session(server.client)
      session.arbitrate((0, 1))
      #expect(try await session.news().status.code == 0)
      var config = try Pipelines.load(bundle: try #require(upstreamFile))
      config.cookie = .init()
      #expect(await server.set(.verifyAndCommit, config) == .ok)
      try await Self.write(server, [UpstreamManager.arpDefault()])
      for address in [[200, 1, 1, 2], [192, 168, 110, 5]] as [[UInt8]] {
        try await Self.write(
          server, UpstreamManager.addPod(address, port: 1, mac: Self.hostMAC))
      }
      for pod in Self.pods {
        try await Self.write(
          server, UpstreamManager.addPod(pod.address, port: pod.port, mac: pod.mac))
      }
      try await Self.write(
        server, UpstreamManager.add(Self.web, Self.endpoints(0..<2, port: 8080)))
      try await Self.write(
        server, UpstreamManager.add(Self.dns, Self.endpoints(0..<2, port: 5353)))
      try await body(server)
      withExtendedLifetime(session) {}
    }
  }

  /// One update a Write, each of them good.
  private static func write(_ server: TestServer, _ updates: [P4_V1_Update]) async throws {
    for update in updates {
      let outcome = await server.write([update])
      try #require(outcome.isOK, "\(outcome): \(update)")
    }
  }

  /// How many entities a server has, by table and profile.
  private static func counts(_ server: TestServer) async throws -> [UInt32: Int] {
    try await server.readAll().reduce(into: [:]) { counts, entity in
      switch entity.entity {
      case .tableEntry(let entry): counts[entry.tableID, default: 0] += 1
      case .actionProfileMember(let member): counts[member.actionProfileID, default: 0] += 1
      case .actionProfileGroup(let group): counts[group.actionProfileID, default: 0] += 100
      default: break
      }
    }
  }

  private static let podCounts = [UpstreamManager.arpt: 7, UpstreamManager.ipv4: 6]
  private static let serviceCounts = [
    UpstreamManager.destinations: 4, UpstreamManager.sources: 2,
    web.profile: 102, dns.profile: 102, web.balance: 1, dns.balance: 1, web.meta: 2, dns.meta: 2,
  ]

  private static func takesEverything(_ server: TestServer) async throws {
    #expect(try await counts(server) == podCounts.merging(serviceCounts) { a, _ in a })
    // What was sent in 4 bytes is read in the canonical one.
    let members = try await server.read(.member(web.profile, 17))
    #expect(members.map { $0.actionProfileMember.action.params.map(\.value) } == [[Data([17])]])
    // A manager that starts again meets what is there, and goes on.
    #expect(await server.code(UpstreamManager.arpDefault()) == 6)

    try await write(server, UpstreamManager.extend(web, by: endpoints(2..<3, port: 8080)))
    let group = try await server.read(.group(web.profile, 1))
    #expect(group.map { $0.actionProfileGroup.members.map(\.memberID) } == [[19]])

    try await write(server, UpstreamManager.delete(web, endpoints(0..<3, port: 8080)))
    try await write(server, UpstreamManager.delete(dns, endpoints(0..<2, port: 5353)))
    #expect(try await counts(server) == podCounts)
    for pod in pods { try await write(server, UpstreamManager.deletePod(pod.address)) }
    #expect(try await counts(server) == [UpstreamManager.arpt: 3, UpstreamManager.ipv4: 2])
  }

  @Test func store() async throws {
    try await run(Engine.store) { try await Self.takesEverything($0) }
  }

  #if DPDK
    @Test func dpdk() async throws {
      try await run(Engine.dpdk) { try await Self.takesEverything($0) }
    }

    /// What comes of a frame that comes in from a pod.
    private static func send(
      _ frame: [UInt8], from pod: Pod, _ server: TestServer
    ) async throws -> (verdict: Verdict, frame: [UInt8]) {
      try await server.host.withDataplane { dataplane in
        var frame = frame
        let verdict = dataplane.process(&frame, port: pod.port, at: .seconds(1))
        return (verdict, frame)
      }
    }

    private static func sent(by pod: Pod) -> PacketBuilder {
      PacketBuilder(from: pod.hardware, to: gateway)
    }

    private static func received(by pod: Pod) -> PacketBuilder {
      PacketBuilder(from: gateway, to: pod.hardware)
    }

    @Test func podsReachEachOther() async throws {
      try await run(Engine.dpdk) { server in
        let (client, peer) = (Self.client, Self.pods[1])
        let question = Self.sent(by: client).arp(
          operation: 1, senderMAC: client.hardware, senderIP: client.ip, targetIP: peer.ip)
        let answer = try await Self.send(question, from: client, server)
        #expect(answer.verdict == .forward(peer.port) && answer.frame == question)
        let ip = PacketBuilder.IPv4(from: client.ip, to: peer.ip)
        let ping = try await Self.send(
          Self.sent(by: client).icmp(ip, type: 8, payload: [1, 2, 3]), from: client, server)
        #expect(ping.verdict == .forward(peer.port))
        #expect(ping.frame == Self.received(by: peer).icmp(ip, type: 8, payload: [1, 2, 3]))
        // Whoever is not known is for the host.
        let away = Self.sent(by: client).icmp(
          .init(from: client.ip, to: IPv4Address(0x0808_0808)), type: 8)
        #expect(try await Self.send(away, from: client, server).verdict == .forward(1))
      }
    }

    /// Sends the first segment of a connection to the Service, and an answer of the endpoint
    /// that gets it.
    ///
    /// - Returns: the endpoint.
    private static func connect(_ sourcePort: UInt16, _ server: TestServer) async throws -> Pod {
      let address = ip(web.address)
      let first = try await send(
        sent(by: client).tcp(
          .init(from: client.ip, to: address),
          .init(from: sourcePort, to: web.port, flags: .init(rawValue: 0x02))),
        from: client, server)
      let endpoint = try #require(pods.dropFirst().first { first.verdict == .forward($0.port) })
      #expect(
        first.frame
          == received(by: endpoint).tcp(
            .init(from: client.ip, to: endpoint.ip),
            .init(from: sourcePort, to: 8080, flags: .init(rawValue: 0x02))))
      let answer = try await send(
        sent(by: endpoint).tcp(
          .init(from: endpoint.ip, to: client.ip),
          .init(from: 8080, to: sourcePort, flags: .init(rawValue: 0x12))),
        from: endpoint, server)
      #expect(answer.verdict == .forward(client.port))
      #expect(
        answer.frame
          == received(by: client).tcp(
            .init(from: address, to: client.ip),
            .init(from: web.port, to: sourcePort, flags: .init(rawValue: 0x12))))
      return endpoint
    }

    @Test func servicesAreBalanced() async throws {
      try await run(Engine.dpdk) { server in
        var chosen: [UInt32: Int] = [:]
        for port in UInt16(40_000)..<40_040 {
          chosen[try await Self.connect(port, server).port, default: 0] += 1
        }
        #expect(Set(chosen.keys) == [3, 4], "\(chosen)")

        // Its MODIFY lists the new endpoint only, and means that: P4Runtime's MODIFY replaces.
        try await Self.write(
          server, UpstreamManager.extend(Self.web, by: Self.endpoints(2..<3, port: 8080)))
        for port in UInt16(41_000)..<41_010 {
          #expect(try await Self.connect(port, server).port == 5)
        }

        let dns = PacketBuilder.IPv4(from: Self.client.ip, to: Self.ip(Self.dns.address))
        let query = try await Self.send(
          Self.sent(by: Self.client).udp(dns, .init(from: 5000, to: 53), payload: [7]),
          from: Self.client, server)
        let endpoint = try #require(
          Self.pods[1...2].first { query.verdict == .forward($0.port) })
        #expect(
          query.frame
            == Self.received(by: endpoint).udp(
              .init(from: Self.client.ip, to: endpoint.ip), .init(from: 5000, to: 5353),
              payload: [7]))

        // Without the Service, its address is one that nobody knows.
        try await Self.write(
          server, UpstreamManager.delete(Self.web, Self.endpoints(0..<3, port: 8080)))
        let late = try await Self.send(
          Self.sent(by: Self.client).tcp(
            .init(from: Self.client.ip, to: Self.ip(Self.web.address)),
            .init(from: 42_000, to: 80, flags: .init(rawValue: 0x02))),
          from: Self.client, server)
        #expect(late.verdict == .forward(1))
      }
    }
  #endif
}
