import Core
import Foundation
import GRPCCore
import NodeTesting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// Tables that have no room for more.
extension Failure {
  private static let table = K8sDP.Table.services

  /// As a controller sees it, on each engine, and as who applies a snapshot of too many rows.
  static func aFullTable() async throws -> [Said] {
    var said: [Said] = []
    for engine in SurvivalTests.engines {
      let server = try ServerProcess()
      try await server.start(["--dataplane", engine])
      let message = try await TestController.run(
        try TestController.unix(server.socket)
      ) { controller in
        try await controller.push()
        for start in stride(from: 0, to: table.size, by: 16_384) {
          try await controller.write(try services(start..<start + 16_384))
        }
        let error = await #expect(throws: RPCError.self) {
          try await controller.write(
            try services(table.size..<table.size + 1), .dataplaneAtomic)
        }
        // Nothing was lost, and nothing added.
        #expect(try await controller.entries().count == table.size)
        let outcome = Outcome(try #require(error))
        return try #require(outcome.details.first).message
      }
      #expect(message.contains("\(table.size)"))
      said.append(("infrap4d on \(engine)", message))
      #expect(try await server.stop() == 0)
    }
    let folder = try TemporaryFolder("full")
    let state = try snapshot(in: folder.path)
    said.append(
      ("k8sdp apply", try await FailureFolder.run(["k8sdp", "apply", state, "--to", nowhere])))
    return said
  }

  /// Nobody need listen: it cannot be, wherever it is applied.
  private static let nowhere = "infrap4d:unix:/nowhere/infrap4d.sock"

  private static func services(_ numbers: Range<Int>) throws -> [P4_V1_Update] {
    let info = try TestController.k8sDP().p4Info
    let table = try #require(info.tables.first { $0.preamble.alias == "services" })
    let action = try #require(info.actions.first { $0.preamble.alias == "service_select" })
    func bytes(_ value: Int, _ count: Int) -> Data {
      Data((0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
    }
    return numbers.map { number in
      .with {
        $0.type = .insert
        $0.entity.tableEntry = .with {
          $0.tableID = table.preamble.id
          $0.match = [(0x0A60_0000 + number, 4), (80, 2), (6, 1)].enumerated().map { index, field in
            .with {
              $0.fieldID = UInt32(index + 1)
              $0.exact.value = bytes(field.0, field.1)
            }
          }
          $0.action.action = .with {
            $0.actionID = action.preamble.id
            $0.params = [number, 3].enumerated().map { index, value in
              .with {
                $0.paramID = UInt32(index + 1)
                $0.value = bytes(value, 4)
              }
            }
          }
        }
      }
    }
  }

  /// A snapshot with one row too many.
  private static func snapshot(in folder: String) throws -> String {
    var text = "k8sdp/v1 tables\n"
    for number in 0...table.size {
      let address = IPv4Address(0x0A60_0000 + UInt32(number))
      text += "services \(address) 80 6 service_select \(number) 3\n"
    }
    text += "end \(table.size + 1)\n"
    try text.write(toFile: folder + "/tables.txt", atomically: true, encoding: .utf8)
    let state = folder + "/state.yaml"
    try "apiVersion: k8sdp/v1\ntables: tables.txt\n"
      .write(toFile: state, atomically: true, encoding: .utf8)
    return state
  }

  /// As a state file asks for it.
  static func tooManyServices() async throws -> [Said] {
    let folder = try TemporaryFolder("full")
    let state = folder.path + "/state.yaml"
    let ports = (1...table.size + 1).map { "      - {protocol: TCP, port: \($0), endpoints: []}" }
    try """
    apiVersion: k8sdp/v1
    services:
      - name: web
        clusterIP: 10.96.0.80
        ports:
    \(ports.joined(separator: "\n"))
    """.write(toFile: state, atomically: true, encoding: .utf8)
    return [
      ("k8sdp apply", try await FailureFolder.run(["k8sdp", "apply", state, "--to", nowhere]))
    ]
  }
}
