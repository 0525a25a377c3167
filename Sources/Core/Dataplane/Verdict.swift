/// A port of the pipeline. 0 is the ARP proxy, 1 the host.
public typealias PortID = UInt32

/// What happened to a frame. There is no third way.
public enum Verdict: Hashable, Sendable {
  case forward(PortID)
  case drop(DropReason)
}

/// Why a frame was dropped: the same names in code, counters, traces, metrics.
///
/// Raw values 1...31 are indices into the pipeline's `drops` counter; 64 and up
/// belong to the host, which drops before the pipeline sees the frame.
public enum DropReason: UInt8, CaseIterable, Hashable, Sendable {
  /// TTL of 0 or 1 on a frame the pipeline would have to route (RFC 1812 5.3.1).
  case ttlExpired = 1
  /// A multicast or broadcast frame that is not ARP.
  case multicast = 2
  /// The Service port has no endpoint.
  case noEndpoint = 3
  /// TCP to a Service that is neither a new flow nor a known one.
  case noFlow = 4
  /// The endpoint the flow is pinned to was removed, or takes no new flow.
  case endpointGone = 5
  /// The flow, or a datagram in fragments, could not be recorded, so it is not
  /// started.
  case flowTableFull = 6
  /// Another live flow has the same addresses and ports after translation.
  case natCollision = 7
  /// A later fragment to a Service whose first fragment was not seen.
  case fragment = 8
  /// To the address of a Service, but to none of its ports.
  case noService = 9
  /// IP version is not 4, or the header length is below 20 bytes.
  case badIPHeader = 10

  /// The frame ends before its headers do.
  case truncated = 64
  /// IP or UDP length contradicts the frame's length.
  case badLength = 65
  /// The frame is longer than the dataplane takes.
  case oversized = 66
  /// The pipeline chose a port that the host does not have.
  case badPort = 67
  /// A pipeline without named reasons executed its drop instruction.
  case pipeline = 68
  /// The offload header that came with the frame contradicts it.
  case badOffload = 69
  /// The host has no pipeline to send the frame through.
  case noPipeline = 70

  /// Whether a pipeline gives this reason, and not the host.
  public var isOfPipeline: Bool { rawValue < 64 }

  /// The name in counters, summaries, traces and metrics labels.
  public var name: String {
    switch self {
    case .ttlExpired: "ttl_expired"
    case .multicast: "multicast"
    case .noEndpoint: "no_endpoint"
    case .noFlow: "no_flow"
    case .endpointGone: "endpoint_gone"
    case .flowTableFull: "flow_table_full"
    case .natCollision: "nat_collision"
    case .fragment: "fragment"
    case .noService: "no_service"
    case .badIPHeader: "bad_ip_header"
    case .truncated: "truncated"
    case .badLength: "bad_length"
    case .oversized: "oversized"
    case .badPort: "bad_port"
    case .pipeline: "pipeline"
    case .badOffload: "bad_offload"
    case .noPipeline: "no_pipeline"
    }
  }

  /// The reason in words, for traces.
  public var meaning: String {
    switch self {
    case .ttlExpired: "TTL is used up"
    case .multicast: "multicast and broadcast are not forwarded"
    case .noEndpoint: "the Service port has no endpoint"
    case .noFlow: "TCP to a Service, but of no known flow and no SYN"
    case .endpointGone: "the endpoint was removed, or takes no new flow"
    case .flowTableFull: "the flow table has no room for the flow"
    case .natCollision: "another flow looks the same after translation"
    case .fragment: "the first fragment to the Service was not seen"
    case .noService: "the Service has no such port"
    case .badIPHeader: "IP version or header length is wrong"
    case .truncated: "the frame ends before its headers do"
    case .badLength: "a length field contradicts the frame"
    case .oversized: "the frame is longer than the dataplane takes"
    case .badPort: "the port chosen does not exist"
    case .pipeline: "the pipeline dropped it"
    case .badOffload: "its offload header contradicts the frame"
    case .noPipeline: "no pipeline is installed"
    }
  }
}
