import Core

/// How traces spell addresses, hashes and times.
struct TraceWords {
  let names: NameBook
  /// Seconds of the eight expire-time profiles.
  let seconds: [UInt32]

  /// `web-2 10.244.0.8`, or the bare address of what has no name.
  func address(_ ip: UInt32) -> String {
    guard let name = names.services[ip] ?? names.addresses[ip] else {
      return IPv4Address(ip).description
    }
    return "\(name) \(IPv4Address(ip))"
  }

  /// `web-2 10.244.0.8:8080`, or without the port where it is not known: 0.
  func endpoint(_ ip: UInt32, _ port: UInt16) -> String {
    port == 0 ? address(ip) : "\(address(ip)):\(port)"
  }

  func hex(_ value: UInt32) -> String { String(value, radix: 16) }

  /// `expires in 60 s`.
  func expiry(_ timer: K8sDP.Timer) -> String {
    "expires in \(seconds[timer.profile]) s (\(timer.name))"
  }
}
