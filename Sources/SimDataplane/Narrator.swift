import Core

/// Puts each event into a step of its own.
struct Narrator {
  let words: TraceWords

  func step(_ event: TraceEvent) -> TraceStep {
    switch event {
    case .parsed(let packet): return TraceStep(text: parsed(packet))
    case .service(let hit, let dst, let port, let proto):
      let what = "\(proto == FlowKind.tcp ? "TCP" : "UDP") \(words.endpoint(dst, port))"
      guard let hit else {
        return TraceStep(
          table: "services", outcome: .miss, action: "NoAction",
          text: "\(what) is no Service port")
      }
      return TraceStep(
        table: "services", outcome: .hit, action: "service_select",
        text: "\(what) is group \(hit.id), \(hit.mask + 1) slots")
    case .slot(let hit, let service, let slot):
      guard let hit else {
        return TraceStep(
          table: "slots", outcome: .miss, action: "NoAction",
          text: "group \(service) has no endpoint")
      }
      return TraceStep(
        table: "slots", outcome: .hit, action: "slot_endpoints",
        text: "hash 0x\(words.hex(slot)) of group \(service) → endpoint #\(hit.endpoint)")
    case .flow(let step, let kind, let data, let timer): return flow(step, kind, data, timer)
    case .learned(let kind, let data, let timer, let done):
      let what = kind >= 0x80 || data.nat == NAT.dnat.rawValue ? "requests" : "replies"
      return TraceStep(
        table: "flows", outcome: .none, action: "learn",
        text: done
          ? "pinned: \(what) → \(words.address(data.ip)):\(data.port), \(words.expiry(timer))"
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
          ? "later fragments will follow to \(words.address(hit.ip))"
          : "follows its first fragment to \(words.address(hit.ip))")
    case .endpoint(let id, let hit): return endpoint(id, hit)
    case .route(let dst, let hit): return route(dst, hit)
    case .arp(let target, let egress):
      return TraceStep(
        table: "arp_targets", outcome: egress == nil ? .miss : .hit,
        action: egress == nil ? "arp_host" : "arp_forward",
        text: egress.map { "ARP target \(words.address(target)) → port \($0)" }
          ?? "ARP target \(words.address(target)) is unknown → host, port 1")
    case .translated(let nat, let from, let to):
      return TraceStep(
        text:
          "\(nat == .dnat ? "DNAT" : "SNAT") \(words.endpoint(from.0, from.1)) → "
          + words.endpoint(to.0, to.1))
    case .promoted:
      return TraceStep(text: "handshake seen: the flow is established")
    }
  }

  private func parsed(_ packet: Packet) -> String {
    if let reason = packet.reason, reason != .badIPHeader { return reason.meaning }
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

  private func flow(_ step: FlowStep, _ kind: UInt8, _ data: FlowData?, _ timer: K8sDP.Timer?)
    -> TraceStep
  {
    let half = kind == FlowKind.tcpHalfOpen ? " in its handshake" : ""
    guard let data else {
      return TraceStep(
        table: "flows", outcome: .miss, action: "flow_miss", text: "no \(step.rawValue)\(half)")
    }
    let nat = data.nat == NAT.dnat.rawValue ? "DNAT to" : "SNAT to"
    let armed = timer.map { ", \(words.expiry($0))" } ?? ""
    return TraceStep(
      table: "flows", outcome: .hit, action: "flow_hit",
      text: "\(step.rawValue)\(half): \(nat) \(words.endpoint(data.ip, data.port))\(armed)")
  }

  private func endpoint(_ id: UInt32, _ hit: Endpoint?) -> TraceStep {
    guard let hit else {
      return TraceStep(
        table: "endpoints", outcome: .miss, action: "endpoint_gone",
        text: "endpoint #\(id) was removed")
    }
    let who = "endpoint #\(id) \(words.endpoint(hit.ip, hit.port))"
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
        text: "\(words.address(dst)) is not on this node → host, port 1")
    }
    if hit.next == .vip {
      return TraceStep(
        table: "routes", outcome: .hit, action: "route_vip",
        text: "\(words.address(dst)) is the address of a Service")
    }
    return TraceStep(
      table: "routes", outcome: .hit, action: "route_hop",
      text: "\(words.address(dst)) → port \(hit.hop.egress), TTL − 1")
  }
}
