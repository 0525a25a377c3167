import Core
import Replay

/// A connection that a running node tracks.
public struct LiveFlow: Hashable, Sendable {
  public var connection: K8sDP.Connection
  /// Seconds until it is forgotten, if nothing comes.
  public var left: UInt64
}

/// Which connections are wanted.
public struct FlowFilter: Sendable {
  /// What a Service port is called by: any of these.
  private struct Target {
    var addresses: Set<UInt32>
    var port: UInt16?
  }

  private var transport: TransportProtocol?
  private var state: K8sDP.Timer?
  private var client: Target?
  private var service: Target?
  private var endpoint: Target?

  /// - Parameters:
  ///   - client, endpoint: `ADDRESS[:PORT]`, or a pod's name in place of the address.
  ///   - service: `ADDRESS[:PORT]`, or a Service's name in place of the address.
  ///   - state: the name of a timer.
  /// - Throws: for what is none of these.
  public init(
    protocol transport: String?, client: String?, service: String?, endpoint: String?,
    state: String?, _ names: NodeNames
  ) throws(ReplayError) {
    if let transport {
      self.transport = TransportProtocol.allCases.first {
        $0.name.lowercased() == transport.lowercased()
      }
      guard self.transport != nil else {
        throw ReplayError("--protocol \(transport)", "is tcp or udp")
      }
    }
    if let state {
      self.state = K8sDP.Timer.allCases.first { $0.name == state }
      guard self.state != nil, self.state != .tcpStale else {
        let known = K8sDP.Timer.allCases.filter { $0 != .tcpStale }.map(\.name)
        throw ReplayError("--state \(state)", "is none of \(known.joined(separator: ", "))")
      }
    }
    if let client { self.client = try Self.pod(client, names) }
    if let endpoint { self.endpoint = try Self.pod(endpoint, names) }
    if let service { self.service = try Self.service(service, names) }
  }

  public func matches(_ flow: LiveFlow) -> Bool {
    let connection = flow.connection
    if let transport, connection.transport != transport { return false }
    if let state, connection.timer != state { return false }
    return Self.matches(client, connection.client) && Self.matches(service, connection.service)
      && Self.matches(endpoint, connection.endpoint)
  }

  private static func matches(_ target: Target?, _ socket: K8sDP.Connection.Socket) -> Bool {
    guard let target else { return true }
    return target.addresses.contains(socket.address.value)
      && (target.port == nil || target.port == socket.port)
  }

  private static func pod(_ text: String, _ names: NodeNames) throws(ReplayError) -> Target {
    let (host, port) = try HostPort.split(text)
    return Target(addresses: [try names.podAddress(host).value], port: port)
  }

  private static func service(_ text: String, _ names: NodeNames) throws(ReplayError) -> Target {
    let (host, port) = try HostPort.split(text)
    if let address = IPv4Address(host) { return Target(addresses: [address.value], port: port) }
    let found = try names.serviceAddresses(host)
    guard !found.isEmpty else {
      throw ReplayError(host, "is neither an IPv4 address nor the name of a Service that is known")
    }
    return Target(addresses: Set(found.map(\.address.value)), port: port)
  }
}
