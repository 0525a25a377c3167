import Core
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2
import P4RuntimeProtos

/// Which server it is, and so what can be believed of it.
public enum ServerKind: Hashable, Sendable {
  /// It does what P4Runtime's specification says.
  case faithful
  /// Upstream's `infrap4d` of IPDK 23.01: MODIFY answers OK and changes nothing, a group
  /// can only grow, some requests crash it, reads stop early.
  case upstream

  /// Upstream's usual build forgets to define its version; built by Bazel it says 1.3.0, as
  /// others may. What it is then, its gNMI tells: it misses a file that no build installs.
  init(
    _ grpc: GRPCClient<HTTP2ClientTransport.Posix>, options: CallOptions
  ) async throws {
    let client = P4_V1_P4Runtime.Client(wrapping: grpc)
    switch try await client.capabilities(.init(), options: options).p4RuntimeApiVersion {
    case "P4RUNTIME_VER": self = .upstream
    case "1.3.0":
      do {
        _ = try await Gnmi_gNMI.Client(wrapping: grpc).capabilities(.init(), options: options)
        self = .faithful
      } catch let error as RPCError {
        self = error.message.contains("gnmi_caps.pb.txt") ? .upstream : .faithful
      }
    default: self = .faithful
    }
  }

  /// Asks a server that may be starting.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when it does not answer.
  public static func ask(
    _ grpc: GRPCClient<HTTP2ClientTransport.Posix>, patience: Duration
  ) async throws(DataplaneError) -> ServerKind {
    var options = CallOptions.defaults
    options.timeout = patience
    options.waitForReady = true
    do {
      return try await ServerKind(grpc, options: options)
    } catch {
      throw DataplaneError(.unavailable, "infrap4d", Infrap4dClient.text(error))
    }
  }

  /// Numbers of ports that upstream's server takes: powers of two.
  static func takes(ports: Int) -> Bool { ports > 0 && ports & (ports - 1) == 0 }

  /// Updates in one Write, and entities in one Read. Sixty errors of upstream's exceed what
  /// a client takes in trailers; twenty arrive.
  var maximumBatch: Int { self == .upstream ? 20 : .max }

  /// Members of a group: upstream's server crashes at 1,024.
  var maximumGroup: Int { self == .upstream ? 1023 : .max }

  /// Whether a Write can ask for all or nothing.
  var isAtomic: Bool { self == .faithful }
}
