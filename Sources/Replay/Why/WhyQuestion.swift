import Core

/// `k8sdp why SRC DST[:PORT]`: would a new connection come about?
public struct WhyQuestion: Hashable, Sendable {
  public enum Transport: String, CaseIterable, Sendable { case tcp, udp, icmp }

  public var source: IPv4Address
  public var destination: IPv4Address
  public var transport: Transport
  /// 0 for ICMP.
  public var port: UInt16
  /// nil takes one that no connection has.
  public var sourcePort: UInt16?

  /// - Parameters:
  ///   - source: an address, or the name of a pod.
  ///   - destination: an address or the name of a pod or Service, and a port.
  ///   - transport: tcp, udp or icmp; nil is TCP with a port and ICMP without.
  /// - Throws: for what is none of these, and a Service whose port has to be told.
  public init(
    source: String, destination: String, transport: String?, sourcePort: UInt16?,
    _ names: NodeNames
  ) throws(ReplayError) {
    self.source = try names.podAddress(source)
    self.sourcePort = sourcePort
    let (host, given) = try HostPort.split(destination)
    var wanted: Transport?
    if let transport {
      wanted = Transport(rawValue: transport.lowercased())
      guard wanted != nil else {
        throw ReplayError("--protocol \(transport)", "is tcp, udp or icmp")
      }
    }
    var port = given
    let services = IPv4Address(host) == nil ? try names.serviceAddresses(host) : []
    if services.isEmpty {
      self.destination = try names.podAddress(host)
    } else {
      let fitting = services.filter { service in
        (wanted == nil || wanted == Transport(service.transport))
          && (given == nil || given == service.port)
      }
      self.destination = services[0].address
      if given == nil, wanted != .icmp {
        guard fitting.count == 1 else {
          let known = services.map { "\($0.port)/\($0.transport.name.lowercased())" }
          throw ReplayError(
            host, "has the ports \(known.joined(separator: ", ")); give one: \(host):PORT")
        }
        port = fitting[0].port
      }
      if wanted == nil, fitting.count == 1 { wanted = Transport(fitting[0].transport) }
    }
    self.transport = wanted ?? (port == nil ? .icmp : .tcp)
    if self.transport == .icmp, port != nil {
      throw ReplayError(destination, "has a port, and ICMP has none")
    }
    if self.transport != .icmp, port == nil {
      throw ReplayError(destination, "needs a port: \(host):PORT")
    }
    self.port = port ?? 0
  }
}

extension WhyQuestion.Transport {
  init(_ transport: TransportProtocol) { self = transport == .tcp ? .tcp : .udp }

  /// nil for ICMP.
  var ofServices: TransportProtocol? {
    switch self {
    case .tcp: .tcp
    case .udp: .udp
    case .icmp: nil
    }
  }
}
