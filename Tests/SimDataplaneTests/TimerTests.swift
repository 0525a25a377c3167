import Core
import Testing

@testable import SimDataplane

/// R6: how long flows are remembered. The engine counts in steps of 2³² cycles,
/// so a timer of T seconds lasts between T − 2³²/hertz and T.
@Suite struct TimerTests {
  /// 2.15 s at the model's rate.
  private let step = Double(1 << 32) / Double(EngineClock.model.hertz)
  /// Starts that lie differently in the steps.
  static let starts = [0.0, 1.0, 2.1, 3.333, 1000.5]

  /// The flows that are there have that timer, live almost so long and no longer.
  private func expect(
    _ timer: K8sDP.Timer, _ count: Int, in node: Node, seconds: UInt32? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let armed = node.now
    let length = Double(seconds ?? timer.defaultSeconds)
    #expect(node.flows.count == count, sourceLocation: sourceLocation)
    #expect(node.flows.allSatisfy { $0.timer == timer }, sourceLocation: sourceLocation)
    node.now = armed + length - step
    #expect(node.flows.count == count, "early", sourceLocation: sourceLocation)
    node.now = armed + length
    #expect(node.flows.isEmpty, "late", sourceLocation: sourceLocation)
    node.now = armed
  }

  private func make(_ transport: TransportProtocol, at start: Double) throws -> Node {
    let node = try Node(pods: [7])
    try node.serve(transport, by: [7: 1])
    node.now = start
    return node
  }

  @Test(arguments: starts) func halfOpen(start: Double) throws {
    let node = try make(.tcp, at: start)
    node.tcp(.client(), .service, .syn)
    expect(.tcpHalfOpen, 2, in: node)
    node.now += 10
    node.tcp(.pod(7, 8080), .client(), [.syn, .ack])
    // The answer re-arms its own direction; a retransmitted SYN both.
    node.now += 10
    node.tcp(.client(), .service, .syn)
    expect(.tcpHalfOpen, 2, in: node)
  }

  /// A trace says what the timers are now.
  @Test func tracesNameTheTime() throws {
    let node = try make(.udp, at: 0)
    try node.plane.setTimer(K8sDP.Timer.udpUnreplied.profile, seconds: 77)
    var frame = Node.ether.udp(
      .init(from: Node.client.ip, to: Node.vip), .init(from: 41_000, to: 80), payload: [])
    let trace = node.plane.trace(&frame, port: 0, at: .zero, names: NameBook())
    #expect(trace.steps.contains { "\($0)".contains("77 s") })
  }

  @Test(arguments: starts) func established(start: Double) throws {
    let node = try make(.tcp, at: start)
    node.connect(.client(), .service)
    node.now += 70
    // What was half open has become two entries with the long timer.
    expect(.tcpEstablished, 2, in: try fresh(start))
    node.now += 40_000
    node.tcp(.client(), .service, .ack)
    node.tcp(.pod(7, 8080), .client(), .ack)
    expect(.tcpEstablished, 2, in: node)
  }

  /// A node whose half-open entry of an established flow is just dead.
  private func fresh(_ start: Double) throws -> Node {
    let node = try make(.tcp, at: start)
    node.connect(.client(), .service)
    node.now += 60
    node.tcp(.client(), .service, .ack)
    node.tcp(.pod(7, 8080), .client(), .ack)
    return node
  }

  @Test(arguments: starts, [true, false])
  func finShortensBoth(start: Double, fromClient: Bool) throws {
    let node = try fresh(start)
    if fromClient {
      node.tcp(.client(), .service, [.fin, .ack])
    } else {
      node.tcp(.pod(7, 8080), .client(), [.fin, .ack])
    }
    expect(.tcpClosing, 2, in: node)
    // Traffic re-arms, and stays with the short timer.
    node.now += 100
    node.tcp(.client(), .service, .ack)
    node.tcp(.pod(7, 8080), .client(), .ack)
    expect(.tcpClosing, 2, in: node)
  }

  @Test(arguments: starts, [true, false])
  func rstShortensBoth(start: Double, fromClient: Bool) throws {
    let node = try fresh(start)
    if fromClient {
      node.tcp(.client(), .service, [.rst, .ack])
    } else {
      node.tcp(.pod(7, 8080), .client(), .rst)
    }
    expect(.tcpReset, 2, in: node)
  }

  /// A refused connection: RST in answer to the SYN.
  @Test func rstOfHalfOpen() throws {
    let node = try make(.tcp, at: 1)
    node.tcp(.client(), .service, .syn)
    node.now += 1
    node.tcp(.pod(7, 8080), .client(), [.rst, .ack])
    expect(.tcpReset, 2, in: node)
  }

  @Test(arguments: starts) func unreplied(start: Double) throws {
    let node = try make(.udp, at: start)
    node.udp(.client(), .service)
    expect(.udpUnreplied, 2, in: node)
    for _ in 0..<5 {
      node.now += 25
      node.udp(.client(), .service)
    }
    expect(.udpUnreplied, 2, in: node)
  }

  @Test(arguments: starts) func stream(start: Double) throws {
    let node = try make(.udp, at: start)
    node.udp(.client(), .service)
    node.now += 1
    node.udp(.pod(7, 8080), .client())
    expect(.udpStream, 2, in: node)
    node.now += 100
    node.udp(.client(), .service)
    expect(.udpStream, 2, in: node)
    node.now += 100
    node.udp(.pod(7, 8080), .client())
    expect(.udpStream, 2, in: node)
  }

  /// What a dead flow means for its packets.
  @Test func afterExpiry() throws {
    let node = try make(.tcp, at: 0)
    node.connect(.client(), .service)
    node.now = 43_300
    #expect(node.tcp(.client(), .service, .ack).verdict == .drop(.noFlow))
    // Nothing known: a packet of the pod's own.
    #expect(node.tcp(.pod(7, 8080), .client(), .ack).source == .pod(7, 8080))
    #expect(node.tcp(.client(), .service, .syn).verdict == .forward(7))
  }

  /// Only what is armed later feels a new length.
  @Test(arguments: [
    K8sDP.Timer.tcpHalfOpen, .tcpEstablished, .tcpClosing, .tcpReset, .udpUnreplied, .udpStream,
  ])
  func configurable(timer: K8sDP.Timer) throws {
    let transport: TransportProtocol =
      timer == .udpStream || timer == .udpUnreplied ? .udp : .tcp
    let node = try make(transport, at: 5)
    func act() {
      switch timer {
      case .tcpHalfOpen: node.tcp(.client(), .service, .syn)
      case .tcpEstablished: node.connect(.client(), .service)
      case .tcpClosing: node.tcp(.client(), .service, .fin)
      case .tcpReset: node.tcp(.client(), .service, .rst)
      // Of flows whose endpoint is gone: RemovedEndpointTests.
      case .tcpStale: break
      case .udpUnreplied: node.udp(.client(), .service)
      case .udpStream:
        node.udp(.client(), .service)
        node.udp(.pod(7, 8080), .client())
      }
    }
    if timer == .tcpClosing || timer == .tcpReset {
      node.connect(.client(), .service)
      node.now += 60
      node.tcp(.client(), .service, .ack)
    }
    act()
    let before = node.plane.learnedEntries(at: .seconds(node.now))
    try node.plane.setTimer(timer.profile, seconds: 500)
    #expect(node.plane.learnedEntries(at: .seconds(node.now)) == before)
    if timer == .tcpEstablished {
      node.now += 60
      node.tcp(.client(), .service, .ack)
      node.tcp(.pod(7, 8080), .client(), .ack)
    } else {
      act()
    }
    expect(timer, 2, in: node, seconds: 500)
  }

  /// A timer is at least one step long, whatever is asked.
  @Test func shortestTimer() throws {
    let node = try make(.udp, at: 0)
    try node.plane.setTimer(K8sDP.Timer.udpUnreplied.profile, seconds: 1)
    node.udp(.client(), .service)
    #expect(node.flows.count == 2)
    node.now = step
    #expect(node.flows.isEmpty)
  }

  @Test func badTimers() throws {
    let node = try Node()
    #expect(throws: DataplaneError.self) { try node.plane.setTimer(8, seconds: 1) }
    #expect(throws: DataplaneError.self) { try node.plane.setTimer(-1, seconds: 1) }
    #expect(throws: DataplaneError.self) { try node.plane.setTimer(0, seconds: 0) }
  }
}
