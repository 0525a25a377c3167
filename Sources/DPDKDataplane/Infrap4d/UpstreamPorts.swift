import Core
import GNMIPaths
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2

/// The ports of upstream's `infrap4d`, by gNMI.
///
/// They bear names of its chassis file, get ids in the order in which they are made, and
/// are made before the pipeline is pushed or never.
public struct UpstreamPorts: Sendable {
  /// TAPs of the chassis file of IPDK 23.01 (`dpdk_port_config.pb.txt`).
  public static let taps = (0..<32).map { "TAP\($0)" }
  /// All of its ports.
  private static let names =
    taps + (0..<16).map { "net_vhost\($0)" } + (0..<8).map { "PORT\($0)" }

  private let client: Gnmi_gNMI.Client<HTTP2ClientTransport.Posix>

  public init(_ grpc: GRPCClient<HTTP2ClientTransport.Posix>) {
    client = Gnmi_gNMI.Client(wrapping: grpc)
  }

  /// How many there are. Their ids are 0 up to that.
  public func count() async throws(DataplaneError) -> Int {
    var count = 0
    for name in Self.names where try await isMade(name) { count += 1 }
    return count
  }

  /// Makes TAPs, in this order.
  ///
  /// - Parameter mtu: bytes of an IP packet, 68 to 65,535.
  /// - Throws: ``DataplaneError/Code/unavailable``, with those before it made.
  public func makeTAPs(_ names: some Sequence<String>, mtu: Int) async throws(DataplaneError) {
    for name in names {
      // The port is made when its type is set. An unsigned MTU counts as 0 there.
      let leaves = [
        Self.update(name, "mtu") { $0.intVal = Int64(mtu) },
        Self.update(name, "port-type") { $0.stringVal = "TAP" },
      ]
      do { _ = try await client.set(.with { $0.update = leaves }) } catch {
        throw DataplaneError(.unavailable, name, Infrap4dClient.text(error))
      }
    }
  }

  /// Frames that went in and out by a port since it was made.
  public func frames(_ name: String) async throws(DataplaneError) -> (in: UInt64, out: UInt64) {
    func read(_ leaf: String) async throws(DataplaneError) -> UInt64 {
      try await value(name, ["config", "counters", leaf])?.uintVal ?? 0
    }
    return (try await read("in-unicast-pkts"), try await read("out-unicast-pkts"))
  }

  /// The id of a port that was never made reads 0, as that of the first one does. Its type
  /// reads as a number before, and as the word that was set after.
  private func isMade(_ name: String) async throws(DataplaneError) -> Bool {
    guard case .stringVal? = try await value(name, ["config", "port-type"])?.value else {
      return false
    }
    return true
  }

  /// nil for names that the chassis file does not have.
  private func value(
    _ name: String, _ rest: [String]
  ) async throws(DataplaneError) -> Gnmi_TypedValue? {
    do {
      let response = try await client.get(
        .with {
          $0.encoding = .proto
          $0.path = [.virtualInterface(name, rest)]
        })
      return response.notification.first?.update.first?.val
    } catch let error as RPCError where error.code == .invalidArgument {
      return nil
    } catch {
      throw DataplaneError(.unavailable, name, Infrap4dClient.text(error))
    }
  }

  private static func update(
    _ name: String, _ leaf: String, _ set: (inout Gnmi_TypedValue) -> Void
  ) -> Gnmi_Update {
    .with {
      $0.path = .virtualInterface(name, ["config", leaf])
      set(&$0.val)
    }
  }
}
