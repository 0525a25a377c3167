import Core

extension SimDataplane: TracingDataplane {
  public func trace(
    _ frame: inout [UInt8], port: PortID, at time: Timestamp, names: NameBook
  ) -> (verdict: Verdict, steps: [TraceStep]) {
    var list = EventList()
    let verdict = run(&frame, at: time, &list)
    let narrator = Narrator(names: names)
    return (verdict, list.events.map(narrator.step))
  }
}

/// Puts events into words.
struct Narrator {
  let names: NameBook

  func step(_ event: TraceEvent) -> TraceStep {
    switch event {
    case .parsed(let packet): return TraceStep(text: parsed(packet))
    case .service(let hit, let dst, let port, let proto):
      let what = "\(proto == FlowKind.tcp ? "TCP" : "UDP") \(vip(dst, port))"
      guard let hit else {
        return TraceStep(
          table: "services", outcome: .miss, action: "NoAction",
          text: "\(what) is no Service port")
      }
      return TraceStep(
        table: "services", outcome: .hit, action: "service_select",
        text: "\(what) is Service port #\(hit.id), \(hit.mask + 1) slots")
    case .slot(let hit, let service, let slot):
      guard let hit else {
        return TraceStep(
          table: "slots", outcome: .miss, action: "NoAction",
          text: "Service port #\(service) has no endpoint")
      }
      return TraceStep(
        table: "slots", outcome: .hit, action: "slot_endpoint",
        text: "hash 0x\(hex(slot)) of Service port #\(service) → endpoint #\(hit.endpoint)")
    case .flow(let step, let kind, let data, let timer): return flow(step, kind, data, timer)
    case .learned(let kind, let data, let timer, let done):
      let what = kind >= 0x80 || data.nat == NAT.dnat.rawValue ? "requests" : "replies"
      return TraceStep(
        table: "flows", outcome: .none, action: "learn",
        text: done
          ? "pinned: \(what) → \(address(data.ip)):\(data.port), \(timerName(timer))"
          : "could not be pinned: the bucket is full")
    case .fragment(let hit, let learned):
      guard let hit else {
        return TraceStep(
          table: "fragments", outcome: .miss, action: "fragment_miss",
          text: "first fragment not seen")
      }
      return TraceStep(
        table: "fragments", outcome: learned ? .miss : .hit,
        action: learned ? "learn" : "fragment_hit",
        text: learned
          ? "later fragments will follow to \(address(hit.ip))"
          : "follows its first fragment to \(address(hit.ip))")
    case .endpoint(let id, let hit): return endpoint(id, hit)
    case .route(let dst, let hit): return route(dst, hit)
    case .arp(let target, let egress):
      return TraceStep(
        table: "arp_targets", outcome: egress == nil ? .miss : .hit,
        action: egress == nil ? "arp_host" : "arp_forward",
        text: egress.map { "ARP target \(address(target)) → port \($0)" }
          ?? "ARP target \(address(target)) is unknown → host, port 1")
    case .translated(let nat, let from, let to):
      return TraceStep(
        text:
          "\(nat == .dnat ? "DNAT" : "SNAT") \(vip(from.0, from.1)) → \(vip(to.0, to.1))")
    case .promoted:
      return TraceStep(text: "handshake seen: the flow is established")
    }
  }

  private func parsed(_ packet: Packet) -> String {
    if packet.arp != 0 { return "ARP" }
    guard packet.ipv4 != 0 else { return "neither IPv4 nor ARP" }
    if packet.reason == .badIPHeader { return "IPv4 with a bad version or header length" }
    switch packet.fragment {
    case .later: return "IPv4, a later fragment (no ports)"
    case .first: return "IPv4, the first fragment"
    case .none: break
    }
    guard packet.tcp != 0 else { return packet.udp != 0 ? "UDP" : "IPv4" }
    switch packet.tcpKind {
    case .syn: return "TCP SYN: opens a connection"
    case .fin: return "TCP FIN: closes"
    case .rst: return "TCP RST: aborts"
    case .other: return "TCP within a connection"
    }
  }

  private func flow(_ step: FlowStep, _ kind: UInt8, _ data: FlowData?, _ timer: UInt8?)
    -> TraceStep
  {
    let half = kind == FlowKind.tcpHalfOpen ? " in its handshake" : ""
    guard let data else {
      return TraceStep(
        table: "flows", outcome: .miss, action: "flow_miss", text: "no \(step.rawValue)\(half)")
    }
    let nat = data.nat == NAT.dnat.rawValue ? "DNAT to" : "SNAT to"
    let armed = timer.map { ", now \(timerName($0))" } ?? ""
    return TraceStep(
      table: "flows", outcome: .hit, action: "flow_hit",
      text: "\(step.rawValue)\(half): \(nat) \(vip(data.ip, data.port))\(armed)")
  }

  private func endpoint(_ id: UInt32, _ hit: Endpoint?) -> TraceStep {
    guard let hit else {
      return TraceStep(
        table: "endpoints", outcome: .miss, action: "endpoint_gone",
        text: "endpoint #\(id) was removed")
    }
    let who = "endpoint #\(id) \(vip(hit.ip, hit.port))"
    switch hit.next {
    case .drain:
      return TraceStep(
        table: "endpoints", outcome: .hit, action: "endpoint_drain",
        text: "\(who), draining → port \(hit.hop.egress)")
    case .host:
      return TraceStep(
        table: "endpoints", outcome: .hit, action: "endpoint_host",
        text: "\(who), not on this node → host, port 1")
    case .hop, .vip:
      return TraceStep(
        table: "endpoints", outcome: .hit, action: "endpoint_hop",
        text: "\(who) → port \(hit.hop.egress)")
    }
  }

  private func route(_ dst: UInt32, _ hit: Route?) -> TraceStep {
    guard let hit else {
      return TraceStep(
        table: "routes", outcome: .miss, action: "route_host",
        text: "\(address(dst)) is unknown → host, port 1, unmodified")
    }
    if hit.next == .vip {
      return TraceStep(
        table: "routes", outcome: .hit, action: "route_vip",
        text: "\(address(dst)) is the address of a Service")
    }
    return TraceStep(
      table: "routes", outcome: .hit, action: "route_hop",
      text: "\(address(dst)) → port \(hit.hop.egress), TTL − 1")
  }

  private func address(_ ip: UInt32) -> String {
    let quad = "\(ip >> 24).\(ip >> 16 & 255).\(ip >> 8 & 255).\(ip & 255)"
    if let name = names.services[ip] ?? names.addresses[ip] { return "\(name) \(quad)" }
    return quad
  }

  private func vip(_ ip: UInt32, _ port: UInt16) -> String { "\(address(ip)):\(port)" }

  private func hex(_ value: UInt32) -> String { String(value, radix: 16) }

  private func timerName(_ timer: UInt8) -> String {
    switch timer {
    case TimerProfile.tcpReset: "expiring soon"
    case TimerProfile.udpUnreplied: "unreplied"
    case TimerProfile.tcpHalfOpen: "half-open"
    case TimerProfile.tcpEstablished: "established"
    case TimerProfile.tcpClosing: "closing"
    case TimerProfile.udpStream: "stream"
    default: "timer \(timer)"
    }
  }
}
