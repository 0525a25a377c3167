/// What an ADD made, as versions 1.0 and 1.1 of the specification have it. Keys that are
/// not known are not carried on.
struct CNIResult: Codable, Hashable, Sendable {
  struct Interface: Codable, Hashable {
    var name: String
    var mac: String?
    /// Version 1.1.
    var mtu: Int32?
    /// Path of the namespace; nil for an interface of the node.
    var sandbox: String?
    var socketPath: String?
    var pciID: String?
  }

  struct IP: Codable, Hashable {
    /// CIDR notation.
    var address: String
    var gateway: String?
    /// An index into `interfaces`.
    var interface: Int?
  }

  struct Route: Codable, Hashable {
    /// CIDR notation.
    var dst: String
    var gw: String?
    var mtu: Int?
    var advmss: Int?
    var priority: Int?
    var table: Int?
    var scope: Int?
  }

  var cniVersion: String?
  var interfaces: [Interface]?
  var ips: [IP]?
  var routes: [Route]?
  var dns: JSON?
}
