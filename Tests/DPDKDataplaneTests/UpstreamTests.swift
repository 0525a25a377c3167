#if DPDK
  import Core
  import Glibc
  import Testing

  @testable import DPDKDataplane

  /// The pipeline of upstream's release v23.01, from the file that the
  /// environment variable names.
  private let upstreamFile = getenv("K8SDP_UPSTREAM_PB").map { String(cString: $0) }

  func readFile(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&block, 1, block.count, file), count > 0 {
      bytes += block[..<count]
    }
    return bytes
  }

  extension Engine {
    @Suite(
      .enabled(
        if: upstreamFile != nil, "K8SDP_UPSTREAM_PB does not name upstream's k8s_dp.pb.bin"))
    struct Upstream {
      private func make(_ virtual: Bool = true) throws -> SWXDataplane {
        var options = SWXOptions()
        options.virtualTime = virtual
        let spec = try PipelineSpec(bundle: try readFile(try #require(upstreamFile)))
        return try SWXDataplane(spec: spec, options: options)
      }

      private let vip: UInt64 = 0x0A60_0050
      private let client: UInt64 = 0x0AF4_0006
      private let pod: UInt64 = 0x0AF4_0007

      private func pods() -> [Update] {
        [(client, 2, 0x0200_0000_0206), (pod, 3, 0x0200_0000_0207)].map { ip, port, mac in
          .insert(
            TableEntry(
              table: "ipv4_to_port_table", key: [ip], action: "set_dest_mac_vport",
              arguments: [port, mac]))
        }
      }

      private func service() -> [Update] {
        [
          .setGroup(selector: "as_sl3_tcp_sel", group: 1, members: [GroupMember(id: 5)]),
          .insert(
            TableEntry(
              table: "tx_balance_tcp", key: [vip, 80], action: "tx_balance_tcp_set_group_id",
              arguments: [1])),
          .insert(
            TableEntry(
              table: "as_sl3_tcp", key: [5], action: "set_default_lb_dest", arguments: [5])),
          .insert(
            TableEntry(
              table: "write_dest_ip_table", key: [5], action: "update_dst_ip",
              arguments: [pod, 8080])),
          .insert(
            TableEntry(
              table: "set_meta_tcp", key: [pod, 8080], action: "set_key_for_reverse_ct",
              arguments: [9])),
          .insert(
            TableEntry(
              table: "write_source_ip_table", key: [9], action: "update_src_ip",
              arguments: [vip, 80])),
        ]
      }

      private func tcp(
        _ src: UInt64, _ sport: UInt16, _ dst: UInt64, _ dport: UInt16, _ flags: UInt8
      )
        -> [UInt8]
      {
        var frame = TestSpecs.frame(src: UInt32(src), dst: UInt32(dst), length: 54)
        frame[23] = 6
        frame.replaceSubrange(
          34..<54,
          with: [
            UInt8(sport >> 8), UInt8(sport & 255), UInt8(dport >> 8), UInt8(dport & 255), 0, 0, 0,
            1,
            0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0,
          ])
        return frame
      }

      private func tuple(_ f: [UInt8]) -> [UInt64] {
        func number(_ range: Range<Int>) -> UInt64 { f[range].reduce(0) { $0 << 8 | UInt64($1) } }
        return [number(26..<30), number(34..<36), number(30..<34), number(36..<38)]
      }

      @Test func forwardsAndBalances() throws {
        let plane = try make()
        try plane.apply(pods() + service())
        var plain = TestSpecs.frame(src: UInt32(client), dst: UInt32(pod))
        plain[23] = 1
        #expect(plane.process(&plain, port: 2, at: .zero) == .forward(3))
        #expect(Array(plain[0..<6]) == [2, 0, 0, 0, 2, 7])

        var syn = tcp(client, 40_000, vip, 80, 0x02)
        #expect(plane.process(&syn, port: 2, at: .seconds(1)) == .forward(3))
        #expect(tuple(syn) == [client, 40_000, pod, 8080])
        #expect(
          plane.learnedEntries(at: .seconds(1)).map(\.table) == [
            "pinned_flows", "pinned_flows_reverse",
          ])

        var reply = tcp(pod, 8080, client, 40_000, 0x12)
        #expect(plane.process(&reply, port: 3, at: .seconds(2)) == .forward(2))
        #expect(tuple(reply) == [vip, 80, client, 40_000])
        var ack = tcp(client, 40_000, vip, 80, 0x10)
        #expect(plane.process(&ack, port: 2, at: .seconds(3)) == .forward(3))
        #expect(tuple(ack) == [client, 40_000, pod, 8080])
        // Upstream loses a flow after 60 s however busy it is.
        var late = tcp(client, 40_000, vip, 80, 0x10)
        #expect(plane.process(&late, port: 2, at: .seconds(62)) == .forward(1))
        #expect(throws: DataplaneError.self) {
          try plane.apply([
            .insert(
              TableEntry(
                table: "arpt_to_port_table", key: [1], action: "set_dest_vport", arguments: [1024]))
          ])
        }
      }
    }
  }
#endif
