/// The named timers of flows, each with its expire-time profile in `k8s_dp.p4`.
public enum FlowTimer: String, CaseIterable, Hashable, Sendable {
  case tcpReset
  case udpUnreplied
  case tcpHalfOpen
  case tcpEstablished
  case tcpClosing
  case udpStream

  /// The profile's number, 0...7, as the constants `TIMER_*` of `k8s_dp.p4`.
  public var profile: Int {
    switch self {
    case .tcpReset: 0
    case .udpUnreplied: 1
    case .tcpHalfOpen: 2
    case .tcpEstablished: 5
    case .tcpClosing: 6
    case .udpStream: 7
    }
  }
}
