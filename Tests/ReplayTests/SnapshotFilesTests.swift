import Core
import Foundation
import Testing

@testable import Replay

/// The files beside the state file of a snapshot.
@Suite struct SnapshotFilesTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  static let tables = """
    k8sdp/v1 tables
    # A comment.
    arp_targets 10.244.0.6 arp_forward 2
    routes 10.244.0.6 route_hop 2 02:00:00:00:02:06 02:00:00:00:00:01
    routes 10.96.0.80 route_vip
    services 10.96.0.80 80 6 service_select 7 0
    slots 7 0 slot_endpoint 42 128
    endpoints 42 endpoint_hop 10.244.0.7 8080 3 02:00:00:00:02:07 02:00:00:00:00:01
    end 6

    """
  static let flows = """
    k8sdp/v1 flows hertz 2000000000 cycles 8589934593
    flows 10.244.0.6 40000 10.96.0.80 80 6 1234 flow_hit 42 10.244.0.7 8080 6 1 tcpEstablished 20000
    fragments 10.244.0.6 10.96.0.80 7 17 fragment_hit 42 10.244.0.7 1 tcpReset 4
    end 2

    """
  static let updates = """
    k8sdp/v1 updates
    at 1000
    insert routes 10.244.0.9 route_hop 4 02:00:00:00:02:09 02:00:00:00:00:01
    modify slots 7 0 slot_endpoint 42 129
    at 2000
    delete routes 10.244.0.9
    end 5

    """
  static let state = """
    apiVersion: k8sdp/v1
    moment: 1700000000000000000
    tables: tables.txt
    flows: flows.txt
    updates: updates.txt
    timers: {udpStream: 300}
    names:
      pods: {10.244.0.6: default/client}
      services: {10.96.0.80: "default/web"}
    """

  private func state(_ changes: [(file: String, from: String, to: String)] = []) throws -> String {
    var files = [
      "state.yaml": Self.state, "tables.txt": Self.tables, "flows.txt": Self.flows,
      "updates.txt": Self.updates,
    ]
    for change in changes {
      let old = try #require(files[change.file])
      #expect(old.contains(change.from), "\(change)")
      files[change.file] = old.replacing(change.from, with: change.to, maxReplacements: 1)
    }
    for (name, text) in files { _ = try scratch.write(name, Array(text.utf8)) }
    return scratch.path + "/state.yaml"
  }

  private func error(_ file: String, _ from: String, _ to: String) throws -> String {
    let path = try state([(file, from, to)])
    do {
      _ = try StateFile(contentsOf: path)
      return "accepted"
    } catch {
      return error.description.replacing(scratch.path + "/", with: "")
    }
  }

  @Test func allOfItIsRead() throws {
    let file = try StateFile(contentsOf: try state())
    let snapshot = try #require(file.snapshot)
    #expect(snapshot.moment == 1_700_000_000_000_000_000)
    #expect(snapshot.rows.count == 6)
    #expect(
      snapshot.rows[1]
        == K8sDP.route(
          IPv4Address(0x0AF4_0006),
          K8sDP.Hop(
            egress: 2, dstMAC: MACAddress(0x0200_0000_0206), srcMAC: MACAddress(0x0200_0000_0001))))
    let learned = try #require(snapshot.learned)
    #expect(learned.hertz == 2_000_000_000 && learned.cycles == 8_589_934_593)
    #expect(learned.entries[0].arguments == [42, 0x0AF4_0007, 8080, 6, 1])
    #expect(learned.entries[0].timer == 5 && learned.entries[0].expiry == 20_000 << 32)
    #expect(learned.entries[1].key == [0x0AF4_0006, 0x0A60_0050, 7, 17])
    #expect(snapshot.changes.map(\.at.nanoseconds) == [1000, 2000])
    #expect(snapshot.changes[1].updates == [.delete(table: "routes", key: [0x0AF4_0009])])
    #expect(file.names.addresses == [0x0AF4_0006: "default/client"])
    #expect(file.names.services == [0x0A60_0050: "default/web"])
    #expect(file.timers == [.udpStream: 300])
  }

  @Test func whatWasReadIsWrittenAsItWas() throws {
    let snapshot = try #require(try StateFile(contentsOf: try state()).snapshot)
    let tables = snapshot.rows.map { SnapshotText.line($0) }.joined()
    #expect(
      SnapshotText.tablesHeader + tables + SnapshotText.end(6)
        == Self.tables.replacing("# A comment.\n", with: ""))
    let learned = try #require(snapshot.learned)
    let flows = learned.entries.map { SnapshotText.line($0) }.joined()
    #expect(
      SnapshotText.flowsHeader(hertz: learned.hertz, cycles: learned.cycles) + flows
        + SnapshotText.end(2) == Self.flows)
    let updates = snapshot.changes.flatMap { change in
      ["at \(change.at.nanoseconds)\n"] + change.updates.compactMap { SnapshotText.line($0) }
    }
    #expect(SnapshotText.updatesHeader + updates.joined() + SnapshotText.end(5) == Self.updates)
  }

  @Test(arguments: [
    (
      "tables.txt", "k8sdp/v1 tables", "k8sdp/v2 tables",
      "tables.txt:1:1: begins with \"k8sdp/v1 tables\" when it is one"
    ),
    (
      "tables.txt", "k8sdp/v1 tables", "k8sdp/v1 flows",
      "tables.txt:1:1: begins with \"k8sdp/v1 tables\" when it is one"
    ),
    (
      "tables.txt", "end 6", "end 7",
      "tables.txt:9:5: there are 6 lines and not 7; copy the file again"
    ),
    (
      "tables.txt", "end 6", "",
      "tables.txt:9:1: is cut short: its last line is not \"end N\"; copy it again"
    ),
    (
      "tables.txt", "end 6", "end 6\nroutes",
      "tables.txt:10:1: stands behind the end; remove it"
    ),
    (
      "tables.txt", "routes 10.96", "route 10.96",
      "tables.txt:5:1: there is no table \"route\", but arp_targets, endpoints, flows, fragments, "
        + "routes, services, slots"
    ),
    (
      "tables.txt", "route_vip", "route_away",
      "tables.txt:5:19: routes has no action \"route_away\", but route_hop, route_vip"
    ),
    (
      "tables.txt", "80 6 service", "80000 6 service",
      "tables.txt:6:21: dst_port = 80000 does not fit into 16 bits"
    ),
    (
      "tables.txt", "80 6 service", "http 6 service",
      "tables.txt:6:21: dst_port is a number, an IPv4 address or a MAC address, not \"http\""
    ),
    (
      "tables.txt", "service_select 7 0", "service_select 7",
      "tables.txt:6:42: mask is a number, an IPv4 address or a MAC address, not \"\""
    ),
    (
      "tables.txt", "service_select 7 0", "service_select 7 0 0",
      "tables.txt:6:45: the line has 8 words, and 7 belong there"
    ),
    (
      "tables.txt", "routes 10.96.0.80 route_vip", "routes 10.244.0.6 route_vip",
      "tables.txt:5:1: the same row is there already; keep one"
    ),
    (
      "tables.txt", "slots 7 0 slot_endpoint 42 128",
      "fragments 1 2 3 4 fragment_hit 1 2 3",
      "tables.txt:7:1: fragments is filled by the pipeline; its entries are flows"
    ),
    (
      "tables.txt", "arp_forward 2", "arp_forward 65536",
      "tables.txt:3:1: leads to port 65536, and ports are 0 to 65535"
    ),
    (
      "updates.txt", "route_hop 4", "route_hop 4294967295",
      "updates.txt:3:1: leads to port 4294967295, and ports are 0 to 65535"
    ),
    (
      "flows.txt", " hertz", " herz",
      "flows.txt:1:16: the first line goes on with \"hertz N cycles N\""
    ),
    (
      "flows.txt", "hertz 2000000000", "hertz 0",
      "flows.txt:1:22: hertz is 1000000 to 100000000000, not 0"
    ),
    (
      "flows.txt", "tcpEstablished", "established",
      "flows.txt:2:77: a timer is one of tcpReset, udpUnreplied, tcpHalfOpen, tcpStale, "
        + "tcpEstablished, tcpClosing, udpStream"
    ),
    (
      "flows.txt", "20000\n", "99999999999\n",
      "flows.txt:2:92: the expiry is 0 to 4294967295, not 99999999999"
    ),
    (
      "flows.txt", "fragments 10.244.0.6 10.96.0.80 7 17 fragment_hit 42 10.244.0.7 1",
      "routes 10.96.0.80 route_vip",
      "flows.txt:3:1: routes is filled by controllers; its rows are tables"
    ),
    (
      "updates.txt", "at 1000\n", "",
      "updates.txt:2:1: an update stands below a line \"at NANOSECONDS\""
    ),
    (
      "updates.txt", "at 2000", "at 999",
      "updates.txt:5:4: is earlier than the updates above; put them in order of time"
    ),
    (
      "updates.txt", "delete routes", "remove routes",
      "updates.txt:6:1: is at, insert, modify or delete, not \"remove\""
    ),
    (
      "updates.txt", "delete routes 10.244.0.9", "delete routes 10.244.0.9 4",
      "updates.txt:6:26: the line has 4 words, and 3 belong there"
    ),
    (
      "state.yaml", "tables: tables.txt", "tables: ../tables.txt",
      "state.yaml:3:9: tables is the name of a file beside this one"
    ),
    (
      "state.yaml", "tables: tables.txt", "tables: none.txt",
      "none.txt: cannot be read; it belongs beside the state file that names it"
    ),
    (
      "state.yaml", "tables: tables.txt\n", "",
      "state.yaml:2:1: moment belongs to a snapshot, which has tables as well"
    ),
    (
      "state.yaml", "timers:", "pods: []\ntimers:",
      "state.yaml:6:1: pods and tables say the same thing twice; leave out one of them"
    ),
    (
      "state.yaml", "{10.244.0.6: default/client}", "{client: 10.244.0.6}",
      "state.yaml:8:10: pods are IPv4 addresses such as 10.244.0.6, not \"client\""
    ),
    (
      "state.yaml", "moment: 1700000000000000000", "moment: now",
      "state.yaml:2:9: moment, in nanoseconds, is a whole number, not \"now\""
    ),
  ])
  func whatIsWrongIsNamedWithItsPlace(
    file: String, from: String, to: String, message: String
  ) throws {
    #expect(try error(file, from, to) == message)
  }

  @Test func portsBeyondTheUsual() throws {
    let state = try StateFile(
      contentsOf: try state([("tables.txt", "arp_forward 2", "arp_forward 65535")]))
    #expect(state.ports == 65_536)
    #expect(try WhyTables(state, names: NodeNames()).model().ports == 65_536)
  }

  /// A frame of before the moment is none of the snapshot's.
  @Test func aFrameFromBefore() throws {
    let state = try StateFile(contentsOf: try state())
    let path = scratch.path + "/early.pcapng"
    let writer = try PcapngWriter(path: path, interface: "x")
    try writer.write(tcpFrame(), nanoseconds: 1_699_999_999_999_999_999)
    try writer.close()
    let run = ReplayRun(state: state, inputs: [CaptureInput(port: 2, path: path)])
    let loaded = try DataplaneFactory.k8sDP().make("model", clock: state.clock)
    let error = try #require(throws: ReplayError.self) { try run.run([loaded]) { _, _ in true } }
    #expect(error.description.contains("frame 1: is earlier than the moment of the state file"))
  }
}
