import Foundation
import GNMIProtos
import GNMIService
import GRPCCore
import GRPCNIOTransportHTTP2
import GRPCTesting
import Hosting
import Logging
import Testing

/// A gNMI server on the loopback interface, and a client of it.
struct Target: Sendable {
  typealias Transport = HTTP2ClientTransport.Posix

  let registry: FakeRegistry
  let journal: Journal
  let client: Gnmi_gNMI.Client<Transport>

  /// Runs `body` with a server, and ends the server.
  /// Patient enough for a machine that has much else to do.
  static var limits: GNMIService.Limits {
    var limits = GNMIService.Limits()
    limits.patience = .seconds(3600)
    return limits
  }

  static func run(
    _ limits: GNMIService.Limits = limits, registry: FakeRegistry = FakeRegistry(),
    saved: [InterfaceConfig] = [], maximumInterfaces: Int = 64,
    _ body: @Sendable @escaping (Target) async throws -> Void
  ) async throws {
    let journal = Journal()
    let interfaces = Interfaces(
      registry, journal: journal, maximumInterfaces: maximumInterfaces,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    await interfaces.restore(saved)
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext,
      config: .defaults {
        $0.rpc.maxRequestPayloadSize = 64 << 20
        $0.connection.maxGraceTime = .milliseconds(100)
      })
    let server = GRPCServer(
      transport: transport, services: [GNMIService(interfaces, limits: limits)])
    try await server.serve {
      let port = try await transport.listeningAddress.ipv4?.port ?? 0
      try await withGRPCClient(transport: try .loopback(port)) { client in
        try await body(
          Target(
            registry: registry, journal: journal, client: Gnmi_gNMI.Client(wrapping: client)))
      }
    }
  }

  actor Journal: InterfaceJournal {
    private(set) var saved: [InterfaceConfig] = []
    func save(_ interfaces: [InterfaceConfig]) { saved = interfaces }
  }

  // MARK: Calls

  /// The code that a call ends with; nil is OK.
  func code(_ body: () async throws -> Void) async -> RPCError.Code? {
    do {
      try await body()
      return nil
    } catch let error as RPCError {
      #expect(error.message.utf8.count < 600, "fits any client's limit of metadata")
      return error.code
    } catch is CancellationError {
      return .cancelled
    } catch {
      Issue.record("\(error)")
      return .unknown
    }
  }

  @discardableResult
  func set(
    delete: [String] = [], replace: [(String, Gnmi_TypedValue)] = [],
    update: [(String, Gnmi_TypedValue)] = []
  ) async throws -> Gnmi_SetResponse {
    func updates(_ list: [(String, Gnmi_TypedValue)]) -> [Gnmi_Update] {
      list.map { path, value in
        .with {
          $0.path = Gnmi_Path(path)
          $0.val = value
        }
      }
    }
    return try await client.set(
      .with {
        $0.delete = delete.map { Gnmi_Path($0) }
        $0.replace = updates(replace)
        $0.update = updates(update)
      })
  }

  /// Sets leaves of `config` one by one, as `gnmi-ctl` does.
  func set(_ name: String, _ leaves: (String, Gnmi_TypedValue)...) async throws {
    for (leaf, value) in leaves { try await set(update: [(path(name, leaf), value)]) }
  }

  func path(_ name: String, _ leaf: String) -> String {
    "/interfaces/virtual-interface[name=\(name)]/config/\(leaf)"
  }

  func get(
    _ path: String..., type: Gnmi_GetRequest.DataType = .all, encoding: Gnmi_Encoding = .proto
  ) async throws -> [Gnmi_Notification] {
    try await client.get(
      .with {
        $0.path = path.map { Gnmi_Path($0) }
        $0.type = type
        $0.encoding = encoding
      }
    ).notification
  }

  /// The values of leaves by their paths.
  func leaves(
    _ path: String, type: Gnmi_GetRequest.DataType = .all
  ) async throws -> [String: Gnmi_TypedValue] {
    let notifications = try await get(path, type: type)
    #expect(notifications.count == 1)
    return Dictionary(
      uniqueKeysWithValues: notifications.flatMap(\.update).map { ($0.path.text, $0.val) })
  }

  /// The JSON of the first update.
  func json(
    _ path: String, type: Gnmi_GetRequest.DataType = .all, encoding: Gnmi_Encoding = .json
  ) async throws -> NSDictionary {
    let value = try #require(
      try await get(path, type: type, encoding: encoding).first?.update.first?.val)
    let text = encoding == .json ? value.jsonVal : value.jsonIetfVal
    return try #require(try JSONSerialization.jsonObject(with: text) as? NSDictionary)
  }
}

extension Gnmi_Path {
  /// `/a/b[k=v]/c`.
  init(_ text: String) {
    self.init()
    for part in text.split(separator: "/") {
      let pieces = part.split(separator: "[")
      elem.append(
        .with { element in
          element.name = String(pieces[0])
          for key in pieces.dropFirst() {
            let pair = key.dropLast().split(separator: "=", omittingEmptySubsequences: false)
            element.key[String(pair[0])] = String(pair[1])
          }
        })
    }
  }

  var text: String {
    elem.map { element in
      "/" + element.name + element.key.map { "[\($0.key)=\($0.value)]" }.sorted().joined()
    }.joined()
  }
}

extension Gnmi_TypedValue: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) {
    self = .with { $0.stringVal = value }
  }
  static func int(_ value: Int64) -> Self { .with { $0.intVal = value } }
  static func uint(_ value: UInt64) -> Self { .with { $0.uintVal = value } }
  static func json(_ text: String) -> Self { .with { $0.jsonVal = Data(text.utf8) } }
  static func ietf(_ text: String) -> Self { .with { $0.jsonIetfVal = Data(text.utf8) } }
}
