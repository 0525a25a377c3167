import Core

/// Hears what the pipeline does. ``NoTracer`` compiles to nothing.
protocol Tracer {
  static var isEnabled: Bool { get }
  mutating func note(_ event: TraceEvent)
}

struct NoTracer: Tracer {
  /// A variable of no size lies anywhere, and ThreadSanitizer takes that for shared memory.
  private let size: UInt8 = 0

  static var isEnabled: Bool { false }
  mutating func note(_ event: TraceEvent) {}
}

/// One thing that happened to a packet.
enum TraceEvent {
  case parsed(Packet)
  case service(hit: Service?, dst: UInt32, port: UInt16, proto: UInt8)
  case slot(hit: Slot?, service: UInt32, slot: UInt32)
  case flow(FlowStep, kind: UInt8, data: FlowData?, timer: K8sDP.Timer?)
  case learned(kind: UInt8, data: FlowData, timer: K8sDP.Timer, done: Bool)
  case fragment(hit: FragmentData?, learned: Bool)
  case endpoint(id: UInt32, hit: Endpoint?)
  case route(dst: UInt32, hit: Route?)
  case arp(target: UInt32, egress: PortID?)
  case translated(NAT, from: (UInt32, UInt16), to: (UInt32, UInt16))
  case promoted
}

/// Which entry of a flow is meant.
enum FlowStep: String {
  case own = "flow"
  /// The half-open entry of a flow that has one of its own now.
  case handshake = "flow entry"
  case peer = "reply flow"
}

/// Collects events.
struct EventList: Tracer {
  static var isEnabled: Bool { true }
  var events: [TraceEvent] = []
  mutating func note(_ event: TraceEvent) { events.append(event) }
}
