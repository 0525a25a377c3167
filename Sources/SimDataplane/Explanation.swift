import Core

/// The story of a packet in one line.
struct Explanation {
  private let words: TraceWords
  private var subject = "frame"
  private var parts: [String] = []
  /// Where a new flow was sent: the part of its hash, and the group.
  private var choice: (slot: UInt32, group: UInt32)?
  private var isPinned = false

  init(_ words: TraceWords) { self.words = words }

  func line(of events: [TraceEvent], _ verdict: Verdict) -> String {
    var story = self
    for event in events { story.tell(event) }
    switch verdict {
    case .forward(let port): story.parts.append("port \(port)")
    case .drop(let reason): story.parts.append("dropped: \(reason.name) (\(reason.meaning))")
    }
    return ([story.subject] + story.parts).joined(separator: " → ")
  }

  private mutating func tell(_ event: TraceEvent) {
    switch event {
    case .parsed(let packet): subject = Self.subject(packet)
    case .service(let hit, let dst, let port, _):
      if hit != nil { subject += " to VIP \(words.endpoint(dst, port))" }
    case .slot(let hit, let group, let slot):
      if hit != nil { choice = (slot, group) }
    case .flow(.own, _, let data?, let timer): flow(data, timer)
    case .flow: break
    case .promoted: say("handshake completed")
    case .endpoint(let id, let hit): endpoint(id, hit)
    case .learned(_, let data, let timer, let done):
      guard done else {
        say("flow table full")
        return
      }
      // One flow has an entry in either direction; the one for replies says it.
      if data.nat == NAT.snat.rawValue { say("pinned, \(words.expiry(timer))") }
      if data.nat == NAT.dnat.rawValue, timer == .tcpEstablished { say(words.expiry(timer)) }
    case .fragment(let hit, let learned):
      if hit != nil, !learned { say("after its first fragment") }
    case .route(let dst, let hit): route(dst, hit)
    case .arp(let target, let egress):
      subject = "ARP for \(words.address(target))"
      if egress == nil { say("unknown, left to the host") }
    case .translated(.dnat, _, _): say("DNAT")
    case .translated(_, _, let to): say("SNAT to VIP \(words.endpoint(to.0, to.1))")
    }
  }

  private mutating func flow(_ data: FlowData, _ timer: K8sDP.Timer?) {
    if data.nat == NAT.snat.rawValue { say("reply of a pinned flow") }
    isPinned = true
    if let timer { say(words.expiry(timer)) }
  }

  private mutating func endpoint(_ id: UInt32, _ hit: Endpoint?) {
    guard let hit else {
      say("endpoint #\(id) is gone")
      return
    }
    var text = "endpoint \(words.endpoint(hit.ip, hit.port))"
    if isPinned {
      text += " (pinned)"
    } else if let choice {
      text += " (hash 0x\(words.hex(choice.slot)) of group \(choice.group))"
    }
    switch hit.next {
    case .drain: text += ", draining"
    case .host: text += ", not on this node"
    case .hop, .vip: break
    }
    say(text)
  }

  private mutating func route(_ dst: UInt32, _ hit: Route?) {
    guard let hit else {
      say("\(words.address(dst)) is not on this node: left to the host")
      return
    }
    if hit.next == .vip {
      if !subject.contains(" to VIP ") { subject += " to VIP \(words.address(dst))" }
    } else {
      say(words.address(dst))
    }
  }

  private mutating func say(_ part: String) {
    if !parts.contains(part) { parts.append(part) }
  }

  private static func subject(_ packet: Packet) -> String {
    if packet.arp != 0 { return "ARP" }
    guard packet.ipv4 != 0 else { return "frame" }
    if packet.fragment == .later { return "fragment" }
    if packet.udp != 0 { return "UDP" }
    guard packet.tcp != 0 else { return packet.u8(packet.ipv4 &+ 9) == 1 ? "ICMP" : "IPv4" }
    switch packet.tcpKind {
    case .syn: return "SYN"
    case .fin: return "FIN"
    case .rst: return "RST"
    case .other: return "TCP"
    }
  }
}
