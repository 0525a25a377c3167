/// How the pods of a node are connected.
public struct CNIBackendOptions: Sendable {
  /// Where the records are.
  public var folder = "/var/lib/cni/infraagent/tap"
  /// TAPs are named by this and a number.
  public var tapPrefix = "P4TAP_"
  /// The number of the first TAP for pods: 0 is the ARP proxy's, 1 the host's.
  public var firstTAP = 2
  /// Bytes of an IP packet on the TAPs; pods have that or less.
  public var mtu: UInt32 = 1500
  /// Path of infrap4d's namespace.
  public var hostNamespace = "/proc/self/ns/net"

  public init() {}
}
