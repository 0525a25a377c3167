import Core
import Yams

/// Turns the sections of a state file that say what the node should do into an
/// ``Intent``, and refuses what contradicts itself.
struct IntentDecoder {
  static let keys = ["gateway", "host", "pods", "services"]

  let yaml: StrictYAML

  /// Things that may be there only once, with the line they were seen in.
  private struct Seen {
    var lines: [String: Int] = [:]
  }

  func decode(_ sections: [String: StrictYAML.Entry]) throws(ReplayError) -> Intent {
    var seen = Seen()
    var intent = Intent()
    if let node = sections["gateway"]?.value {
      intent.gateway = try interface(node, "gateway", seen: &seen)
    }
    if let node = sections["host"]?.value {
      intent.host = try interface(node, "host", seen: &seen)
    }
    if let node = sections["pods"]?.value {
      for pod in try yaml.sequence(node, "pods") {
        intent.pods.append(try interface(pod, nil, seen: &seen))
      }
    }
    if let node = sections["services"]?.value {
      for service in try yaml.sequence(node, "services") {
        intent.services.append(try self.service(service, seen: &seen))
      }
    }
    return intent
  }

  /// - Parameter fixed: The name, for the gateway and the host, which have no key for it.
  private func interface(_ node: Node, _ fixed: String?, seen: inout Seen) throws(ReplayError)
    -> Intent.Interface
  {
    let what = fixed ?? "a pod"
    let entries = try yaml.mapping(
      node, what, required: (fixed == nil ? ["name"] : []) + ["ip", "mac", "port"])
    var interface = Intent.Interface(
      name: fixed ?? "", ip: IPv4Address(0), mac: MACAddress(0), port: 0)
    if let name = entries["name"]?.value {
      interface.name = try self.name(name, "name of a pod")
      try once(name, "pod name", interface.name, seen: &seen)
    }
    if let ip = entries["ip"]?.value {
      interface.ip = try address(ip, "ip")
      try once(ip, "address", interface.ip.description, seen: &seen)
    }
    if let mac = entries["mac"]?.value { interface.mac = try self.mac(mac) }
    if let port = entries["port"]?.value {
      interface.port = PortID(
        try yaml.integer(port, "port of \(what)", 0...UInt64(DataplaneFactory.maximumPorts - 1)))
      try once(port, "pipeline port", "\(interface.port)", seen: &seen)
    }
    return interface
  }

  private func service(_ node: Node, seen: inout Seen) throws(ReplayError) -> Intent.Service {
    let entries = try yaml.mapping(
      node, "a service", required: ["name", "clusterIP", "ports"])
    var service = Intent.Service(name: "", clusterIP: IPv4Address(0), ports: [])
    if let name = entries["name"]?.value {
      service.name = try self.name(name, "name of a service")
      try once(name, "service name", service.name, seen: &seen)
    }
    if let ip = entries["clusterIP"]?.value {
      service.clusterIP = try address(ip, "clusterIP")
      try once(ip, "address", service.clusterIP.description, seen: &seen)
    }
    if let ports = entries["ports"]?.value {
      var portsSeen = Seen()
      for port in try yaml.sequence(ports, "ports of a service") {
        service.ports.append(try servicePort(port, seen: &portsSeen))
      }
    }
    return service
  }

  private func servicePort(_ node: Node, seen: inout Seen) throws(ReplayError)
    -> Intent.ServicePort
  {
    let entries = try yaml.mapping(
      node, "a service port", required: ["protocol", "port"], optional: ["endpoints"])
    var port = Intent.ServicePort(transport: .tcp, port: 0, endpoints: [])
    if let transport = entries["protocol"]?.value {
      switch try yaml.text(transport, "protocol") {
      case "TCP": port.transport = .tcp
      case "UDP": port.transport = .udp
      default:
        throw yaml.error(transport, "protocol is TCP or UDP, not \(yaml.shape(transport))")
      }
    }
    if let number = entries["port"]?.value {
      port.port = UInt16(try yaml.integer(number, "port of a service", 1...65_535))
      let text = "\(port.port)/\(port.transport == .tcp ? "TCP" : "UDP")"
      try once(number, "service port", text, seen: &seen)
    }
    if let endpoints = entries["endpoints"]?.value {
      var endpointsSeen = Seen()
      for node in try yaml.sequence(endpoints, "endpoints") {
        let endpoint = try self.endpoint(node)
        let text = "\(endpoint.address):\(endpoint.port)"
        try once(node, "endpoint", text, seen: &endpointsSeen)
        port.endpoints.append(endpoint)
      }
    }
    return port
  }

  /// `"ip:port"`, or a mapping with address, port and weight.
  private func endpoint(_ node: Node) throws(ReplayError) -> Intent.Endpoint {
    guard case .scalar = node else {
      let entries = try yaml.mapping(
        node, "an endpoint", required: ["address", "port"], optional: ["weight"])
      var endpoint = Intent.Endpoint(address: IPv4Address(0), port: 0, weight: 1)
      if let address = entries["address"]?.value {
        endpoint.address = try self.address(address, "address of an endpoint")
      }
      if let port = entries["port"]?.value {
        endpoint.port = UInt16(try yaml.integer(port, "port of an endpoint", 1...65_535))
      }
      if let weight = entries["weight"]?.value {
        endpoint.weight = UInt32(try yaml.integer(weight, "weight", 0...65_535))
      }
      return endpoint
    }
    let text = try yaml.text(node, "an endpoint")
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(String(parts[0])), isUnicast(address),
      parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(parts[1]), port > 0
    else {
      throw yaml.error(
        node, "an endpoint is \"ip:port\" such as \"10.244.0.7:8080\", not \(yaml.shape(node))")
    }
    return Intent.Endpoint(address: address, port: port, weight: 1)
  }

  func name(_ node: Node, _ what: String) throws(ReplayError) -> String {
    let text = try yaml.text(node, what)
    let printable = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    guard !text.isEmpty, text.utf8.count <= 253, printable else {
      throw yaml.error(node, "\(what) is 1 to 253 printable characters")
    }
    return text
  }

  private func address(_ node: Node, _ what: String) throws(ReplayError) -> IPv4Address {
    guard let address = IPv4Address(try yaml.text(node, what)) else {
      throw yaml.error(
        node, "\(what) is an IPv4 address such as 10.244.0.6, not \(yaml.shape(node))")
    }
    guard isUnicast(address) else {
      throw yaml.error(node, "\(what) is a unicast address, which \(address) is not")
    }
    return address
  }

  private func isUnicast(_ address: IPv4Address) -> Bool {
    (0x0100_0000..<0xE000_0000).contains(address.value)
  }

  private func mac(_ node: Node) throws(ReplayError) -> MACAddress {
    guard let mac = MACAddress(try yaml.text(node, "mac")) else {
      throw yaml.error(
        node, "mac is six octets such as \"02:00:00:00:02:06\", not \(yaml.shape(node))")
    }
    guard mac.value != 0, mac.value >> 40 & 1 == 0 else {
      throw yaml.error(node, "mac is a unicast address, which \(mac) is not")
    }
    return mac
  }

  private func once(_ node: Node, _ what: String, _ text: String, seen: inout Seen)
    throws(ReplayError)
  {
    let key = "\(what) \(text)"
    if let line = seen.lines[key] {
      throw yaml.error(node, "\(key) is already used in line \(line); give it to one only")
    }
    seen.lines[key] = yaml.line(node)
  }
}
