/// How the pods of a node are connected.
public struct CNIBackendOptions: Sendable {
  /// Where the records are.
  public var folder = "/var/lib/cni/infraagent/tap"
  /// TAPs are named by this and a number.
  public var tapPrefix = "P4TAP_"
  /// The number of the first TAP for pods: 0 is the ARP proxy's, 1 the host's.
  public var firstTAP = 2
  /// TAPs that wait for the next pods.
  public var spareTAPs = 4
  /// More than this many that wait are removed.
  public var maximumSpareTAPs = 64
  /// Bytes of an IP packet on the TAPs; pods have that or less.
  public var mtu: UInt32 = 1500
  /// Path of the namespace in which infrap4d makes TAPs.
  public var hostNamespace = "/proc/self/ns/net"

  public init() {}
}
