extension K8sDP {
  /// How long `k8s_dp` remembers a flow, by its state: the one table of timers.
  ///
  /// The raw value is the pipeline's expire-time profile id. Profile 4 is
  /// not used. The names of sysctls are those of Linux
  /// `Documentation/networking/nf_conntrack-sysctl.rst`.
  public enum Timer: UInt8, CaseIterable, Hashable, Sendable {
    /// A reset was seen: `nf_conntrack_tcp_timeout_close`, 10 s.
    case tcpReset = 0
    /// UDP one way so far: `nf_conntrack_udp_timeout`, 30 s.
    case udpUnreplied = 1
    /// The handshake is not over: `nf_conntrack_tcp_timeout_syn_recv`, 60 s.
    case tcpHalfOpen = 2
    /// The entry stands for nothing any more: its endpoint is gone, or it is a handshake's that
    /// is over. Must be the shortest of TCP's timers, and no longer than a client waits before
    /// it tries again (RFC 6298: 1 s), whose ports would meet the old entry for ever.
    case tcpStale = 3
    /// Half a day: a tenth of `nf_conntrack_tcp_timeout_established`, 432000 s.
    case tcpEstablished = 5
    /// A FIN was seen: `nf_conntrack_tcp_timeout_fin_wait` and `_time_wait`, 120 s.
    case tcpClosing = 6
    /// UDP both ways: `nf_conntrack_udp_timeout_stream`, 120 s.
    case udpStream = 7

    /// Seconds that a timer may have at most: a week.
    public static let longest: UInt32 = 604_800

    /// Fragments of a datagram are awaited as long as a reset flow is kept:
    /// `ipfrag_time` is 30 s, but fragments on one node follow each other at once.
    public static let fragment = Timer.tcpReset

    /// The profile to give ``Dataplane/setTimer(_:seconds:)``.
    public var profile: Int { Int(rawValue) }

    /// Seconds, unless configured otherwise.
    public var defaultSeconds: UInt32 {
      switch self {
      case .tcpReset: 10
      case .tcpStale: 1
      case .udpUnreplied: 30
      case .tcpHalfOpen: 60
      case .tcpEstablished: 43_200
      case .tcpClosing, .udpStream: 120
      }
    }

    /// As logs, metrics and configuration spell it.
    public var name: String {
      switch self {
      case .tcpReset: "tcpReset"
      case .tcpStale: "tcpStale"
      case .udpUnreplied: "udpUnreplied"
      case .tcpHalfOpen: "tcpHalfOpen"
      case .tcpEstablished: "tcpEstablished"
      case .tcpClosing: "tcpClosing"
      case .udpStream: "udpStream"
      }
    }
  }
}
