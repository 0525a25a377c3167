import GRPCCore

/// Why a call did not reach `infrap4d`, and what to do: the same words in every program.
public struct ConnectionFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong.
  public var reason: String
  /// What to do.
  public var cure: String

  /// Nobody accepts connections.
  public static let nobody = ConnectionFailure(
    reason: "nobody answers", cure: "see that it runs and listens there")

  public init(reason: String, cure: String) {
    self.reason = reason
    self.cure = cure
  }

  /// - Returns: nil for the error of a call that did reach a server.
  public init?(_ error: any Error) {
    guard let error = error as? RPCError, error.code == .unavailable else { return nil }
    // An error of the transport has its reason inside.
    let text = error.message + (error.cause.map { ": \($0)" } ?? "")
    func has(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
    if has("WRONG_VERSION_NUMBER") {
      self.init(reason: "it speaks no TLS", cure: "connect to it without TLS")
    } else if text.lowercased().contains(/certificate|sslerror/) {
      // The alert that a server sends may only say that a signature cannot be checked.
      let name = text.firstMatch(of: /OPENSSL_internal:([A-Z0-9_]+)/).map { " (\($0.1))" } ?? ""
      self.init(
        reason: "the certificates are not taken\(name)",
        cure: "it and this client need certificates of one authority: scripts/tls/gen_certs.sh "
          + "--renew makes them, then restart both")
    } else if has("Permission denied", "errno: 13)", "errno: 1)") {
      self.init(
        reason: "this user may not open it", cure: "be root, or one of the socket's group")
    } else if has("refused", "No such file", "errno: 2)", "errno: 111)") {
      self = .nobody
    } else if has("HTTP/2 connection preface") {
      // A server with TLS does so to one without.
      self.init(
        reason: "it ends the connection before it begins", cure: "if it has TLS, connect with it")
    } else {
      self.init(reason: error.cause.map { "\($0)" } ?? error.message, cure: Self.nobody.cure)
    }
  }

  public var description: String { "\(reason); \(cure)" }
}
