import Core
import GRPCCore
import InfraProtos

/// Fields of requests as values, or a refusal that names the field.
enum RequestParsing {
  static func refuse(_ field: String, _ text: String, _ wanted: String) -> RPCError {
    RPCError(
      code: .invalidArgument,
      message: text.isEmpty
        ? "\(field) is missing; give \(wanted)" : "\(field) is \"\(text)\"; give \(wanted)")
  }

  /// - Parameter text: with or without a prefix length, which must be 32.
  static func address(_ text: String, _ field: String) throws(RPCError) -> IPv4Address {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.count == 1 || parts[1] == "32",
      let address = IPv4Address(String(parts[0]))
    else { throw refuse(field, text, "an IPv4 address such as 10.244.0.6/32") }
    return address
  }

  static func mac(_ text: String, _ field: String) throws(RPCError) -> MACAddress {
    guard let mac = MACAddress(text), !mac.isGroup, mac != .zero else {
      throw refuse(field, text, "a unicast MAC address such as 02:00:00:00:02:06")
    }
    return mac
  }

  static func name(_ text: String, _ field: String) throws(RPCError) -> String {
    // Linux, IFNAMSIZ: 16 bytes with the final zero.
    guard (1...15).contains(text.utf8.count) else {
      throw refuse(field, text, "the name of an interface, 1 to 15 bytes")
    }
    return text
  }

  static func port(_ value: UInt32, _ field: String) throws(RPCError) -> UInt16 {
    guard let port = UInt16(exactly: value), port > 0 else {
      throw refuse(field, "\(value)", "a port of 1 to 65535")
    }
    return port
  }

  static func service(_ message: Infra_NatTranslation) throws(RPCError) -> ServiceAddress {
    let transport: TransportProtocol
    switch message.proto {
    case "TCP": transport = .tcp
    case "UDP": transport = .udp
    default: throw refuse("proto", message.proto, "TCP or UDP")
    }
    return ServiceAddress(
      try address(message.endpoint.ipv4Addr, "endpoint.ipv4_addr"), transport,
      try port(message.endpoint.port, "endpoint.port"))
  }

  /// By ascending address and port, each once.
  static func endpoints(
    _ message: Infra_NatTranslation
  ) throws(RPCError) -> [Intent.Endpoint] {
    var found: Set<Intent.Endpoint> = []
    for (i, backend) in message.backends.enumerated() {
      let field = "backends[\(i)].dst_ep"
      found.insert(
        Intent.Endpoint(
          address: try address(backend.dstEp.ipv4Addr, "\(field).ipv4_addr"),
          port: try port(backend.dstEp.port, "\(field).port")))
    }
    return found.sorted { ($0.address, $0.port) < ($1.address, $1.port) }
  }

  static func change(_ message: K8sdp_V1_TranslationChange) throws(RPCError) -> Change {
    switch message.change {
    case .put(let translation): .service(try service(translation), try endpoints(translation))
    case .remove(let translation): .removeService(try service(translation))
    case nil: throw refuse("change", "", "put or remove")
    }
  }
}

extension RPCError {
  init(_ error: DataplaneError) {
    let code: Code =
      switch error.code {
      case .invalidArgument: .invalidArgument
      case .notFound: .notFound
      case .alreadyExists: .alreadyExists
      case .resourceExhausted: .resourceExhausted
      case .outOfRange: .outOfRange
      case .unimplemented: .unimplemented
      default: .unavailable
      }
    self.init(code: code, message: "\(error)")
  }
}
