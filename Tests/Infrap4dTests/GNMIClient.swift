import Foundation
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2
import NodeTesting

/// gNMI to a server of a test: the tool, and the generated client.
struct GNMIClient: Sendable {
  let server: ServerProcess

  private static let tool = URL(fileURLWithPath: ServerProcess.program)
    .deletingLastPathComponent().appendingPathComponent("gnmi-ctl").path

  /// Runs the tool over the server's Unix socket.
  func ctl(_ arguments: String...) async throws -> Command.Outcome {
    try await Command.run([Self.tool, "--grpc_addr=unix:\(server.socket)"] + arguments)
  }

  /// Runs the tool over mutual TLS.
  func ctl(port: Int, _ arguments: String...) async throws -> Command.Outcome {
    let certificates = [
      ("ca_cert", "ca.crt"), ("client_cert", "client.crt"), ("client_key", "client.key"),
    ]
    .map { "--\($0.0)_file=\(server.certificates)/\($0.1)" }
    return try await Command.run(
      [Self.tool, "-grpc_addr=localhost:\(port)"] + certificates + arguments)
  }

  /// A program that runs on: the tool with a subscription.
  func start(_ arguments: String...) throws -> RunningProgram {
    try RunningProgram([Self.tool, "--grpc_addr=unix:\(server.socket)"] + arguments)
  }

  /// The values of leaves by their last names.
  func leaves(_ name: String, _ container: String) async throws -> [String: Gnmi_TypedValue] {
    try await withGRPCClient(transport: try TestController.unix(server.socket)) { grpc in
      let response = try await Gnmi_gNMI.Client(wrapping: grpc).get(
        .with {
          $0.encoding = .proto
          $0.path = [
            .with {
              $0.elem = [
                .with { $0.name = "interfaces" },
                .with {
                  $0.name = "virtual-interface"
                  $0.key = ["name": name]
                },
              ]
              $0.elem += container.split(separator: "/").map { part in
                .with { $0.name = String(part) }
              }
            }
          ]
        })
      let updates = response.notification.flatMap(\.update)
      return Dictionary(
        updates.map { update in
          let last = update.path.elem.suffix(2)
          let key = last.first?.key.first?.value
          return (key ?? update.path.elem.last?.name ?? "", update.val)
        }, uniquingKeysWith: { _, last in last })
    }
  }

  /// The port's id, or nil when there is no port.
  func id(_ name: String) async throws -> UInt64? {
    let outcome = try await ctl("get", "device:virtual-device,name:\(name),tdi-portin-id")
    guard let line = outcome.output.split(separator: "\n").first(where: { $0.contains("uint_val") })
    else { return nil }
    return line.split(separator: " ").last.flatMap { UInt64($0) }
  }
}
