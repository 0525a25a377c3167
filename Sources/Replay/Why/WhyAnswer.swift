import Core

/// What becomes of a packet, and why.
public struct WhyAnswer: Sendable {
  /// A packet on its way through the pipeline.
  public struct Passage: Sendable {
    /// What it is, such as `the request`.
    public var what: String
    public var frame: [UInt8]
    public var port: PortID
    public var trace: FrameTrace
    /// As it leaves.
    public var out: [UInt8]
  }

  /// What a new connection to one of the endpoints comes to.
  public struct Endpoint: Sendable {
    public var socket: K8sDP.Connection.Socket
    /// nil when it arrives.
    public var problem: String?
  }

  public var passages: [Passage] = []
  /// Of a Service: those that a new connection may be given.
  public var endpoints: [Endpoint] = []
  /// What should be known beside it.
  public var remarks: [String] = []
  /// nil: it arrives. Else why not, in a line.
  public var problem: String?
  /// The last line.
  public var verdict: String = ""

  public var arrives: Bool { problem == nil }
}

/// Answers questions about packets.
public struct WhyOracle {
  /// Ports that clients take (Linux, net.ipv4.ip_local_port_range).
  private static let clientPorts: ClosedRange<UInt16> = 32_768...60_999
  /// Tries to reach each endpoint of a Service.
  private static let tries = 4096
  /// How far apart a packet and the answer to it are.
  private static let roundTrip: UInt64 = 1_000_000

  private let tables: WhyTables

  public init(_ tables: WhyTables) { self.tables = tables }

  // MARK: A new connection

  public func answer(_ question: WhyQuestion) throws(ReplayError) -> WhyAnswer {
    var answer = WhyAnswer()
    guard let site = tables.site(question.source) ?? foreign(question.source) else {
      answer.problem =
        "\(words(question.source)) is the address of a Service, and those send nothing"
      return finished(answer, question)
    }
    if tables.site(question.source) == nil {
      answer.remarks.append(
        "\(words(question.source)) is not on this node: its packets are taken to come from the host"
      )
    }
    let model = try tables.model()
    let port = question.sourcePort ?? freePort(question)
    let probe = WhyProbe(question: question, site: site, sourcePort: port)
    let outcome = run(probe, on: model, at: 0)
    answer.passages = outcome.passages
    answer.problem = outcome.problem
    if let transport = question.transport.ofServices {
      let service = ServiceAddress(question.destination, transport, question.port)
      answer.endpoints = endpoints(service, probe, outcome, on: model)
    }
    for endpoint in answer.endpoints {
      guard answer.problem == nil, let problem = endpoint.problem else { continue }
      answer.remarks.append(
        "a connection that is given the endpoint \(words(endpoint.socket)) fails: \(problem)")
    }
    return finished(answer, question)
  }

  /// Packets of other nodes, and of the world, come by way of the host.
  private func foreign(_ address: IPv4Address) -> WhyTables.Site? {
    tables.servicePorts(address).isEmpty ? tables.host : nil
  }

  private func freePort(_ question: WhyQuestion) -> UInt16 {
    var taken: Set<UInt64> = []
    for entry in tables.snapshot.learned?.entries ?? [] where entry.key.count == 6 {
      if entry.key[0] == UInt64(question.source.value) { taken.insert(entry.key[1]) }
      if entry.key[2] == UInt64(question.source.value) { taken.insert(entry.key[3]) }
    }
    return Self.clientPorts.first { !taken.contains(UInt64($0)) } ?? Self.clientPorts.lowerBound
  }

  /// Sends the first packet of a connection and, when it arrives, the answer to it.
  private func run(
    _ probe: WhyProbe, on model: any TracingDataplane, at nanoseconds: UInt64
  ) -> (passages: [WhyAnswer.Passage], problem: String?, out: [UInt8]) {
    let request = pass(
      probe.requestName, probe.request, by: probe.site.port, on: model, at: nanoseconds)
    if let problem = problem(request) { return ([request], problem, request.out) }
    if let ip = FrameLayers(request.out).ipv4, ip.source == ip.destination {
      return (
        [request],
        "the pod is given itself as endpoint, and its kernel takes no packet from its own address: "
          + "hairpin is not handled", request.out
      )
    }
    guard let reply = probe.reply(to: request.out) else { return ([request], nil, request.out) }
    guard case .forward(let egress) = request.trace.verdict else { return ([request], nil, []) }
    let back = pass(
      probe.replyName, reply, by: egress, on: model, at: nanoseconds + Self.roundTrip)
    let passages = [request, back]
    if let problem = problem(back) { return (passages, "the reply: \(problem)", request.out) }
    guard probe.isAnswered(by: back.out) else {
      return (
        passages,
        "the reply does not come from where the request was sent to: its receiver does not take it",
        request.out
      )
    }
    guard case .forward(probe.site.port) = back.trace.verdict else {
      return (passages, "the reply leaves by another port than the request came in", request.out)
    }
    return (passages, nil, request.out)
  }

  private func pass(
    _ what: String, _ frame: [UInt8], by port: PortID, on model: any TracingDataplane,
    at nanoseconds: UInt64
  ) -> WhyAnswer.Passage {
    var out = frame
    let trace = model.trace(
      &out, port: port, at: Timestamp(nanoseconds: nanoseconds), names: tables.names.book)
    return WhyAnswer.Passage(what: what, frame: frame, port: port, trace: trace, out: out)
  }

  /// Why a packet that the pipeline is through with does not arrive, or nil.
  private func problem(_ passage: WhyAnswer.Passage) -> String? {
    switch passage.trace.verdict {
    case .drop(let reason): return "\(reason.name): \(reason.meaning)"
    case .forward(let id):
      guard let ports = tables.ports else { return nil }
      guard let port = ports[id] else {
        return "\(DropReason.badPort.name): the node has no port \(id)"
      }
      if !port.isThere { return "the interface of \(port.name) is gone with its namespace" }
      return port.isUp ? nil : "the interface of \(port.name) is down"
    }
  }

  /// Each endpoint of a Service, with a connection that is given to it.
  private func endpoints(
    _ service: ServiceAddress, _ probe: WhyProbe,
    _ first: (passages: [WhyAnswer.Passage], problem: String?, out: [UInt8]),
    on model: any TracingDataplane
  ) -> [WhyAnswer.Endpoint] {
    let all = tables.endpoints(service)
    var found: [K8sDP.Connection.Socket: String?] = [:]
    if let socket = WhyProbe.destination(of: first.out) { found[socket] = .some(first.problem) }
    var time = 2 * Self.roundTrip
    for offset in 1...Self.tries where found.count < all.count {
      guard let port = UInt16(exactly: Int(probe.sourcePort) + offset) else { break }
      var next = probe
      next.sourcePort = port
      let outcome = run(next, on: model, at: time)
      time += 2 * Self.roundTrip
      guard let socket = WhyProbe.destination(of: outcome.out), found[socket] == nil else {
        continue
      }
      found[socket] = .some(outcome.problem)
    }
    return all.map { socket in
      WhyAnswer.Endpoint(
        socket: socket,
        problem: found[socket] ?? "no connection is given to it: it has no slot")
    }
  }

  // MARK: A packet of a capture

  /// What an answer about a packet takes to be known: never none.
  public static func addresses(of frame: [UInt8]) -> [IPv4Address] {
    let layers = FrameLayers(frame)
    if let ip = layers.ipv4 { return [ip.source, ip.destination] }
    guard layers.etherType == EtherType.arp,
      let sender = layers.address(layers.network + ARPHeader.senderIP),
      let target = layers.address(layers.network + ARPHeader.targetIP)
    else { return [IPv4Address(0)] }
    return [sender, target]
  }

  /// - Parameter port: where it comes in; nil is where its source is.
  public func answer(frame: [UInt8], port: PortID?) throws(ReplayError) -> WhyAnswer {
    var answer = WhyAnswer()
    let source = FrameLayers(frame).ipv4?.source
    let entry = port ?? source.flatMap { tables.site($0)?.port } ?? K8sDP.hostPort
    if port == nil, source.flatMap({ tables.site($0) }) == nil {
      answer.remarks.append(
        "the packet's source is no pod of this node: it is taken to come in by the host's port; "
          + "give --port")
    }
    let passage = pass("the packet", frame, by: entry, on: try tables.model(), at: 0)
    answer.passages = [passage]
    answer.problem = problem(passage)
    if let problem = answer.problem {
      answer.verdict = "It does not arrive: \(problem)." + cure(passage)
    } else {
      answer.verdict = "It arrives: \(way(passage))."
    }
    return answer
  }

  // MARK: Words

  private func finished(_ answer: WhyAnswer, _ question: WhyQuestion) -> WhyAnswer {
    var answer = answer
    let (from, to) = (words(question.source), destination(question))
    guard let problem = answer.problem else {
      let way = answer.passages.first.map { ": \(self.way($0))" } ?? ""
      answer.verdict = "\(from) reaches \(to)\(way)."
      return answer
    }
    answer.verdict =
      "\(from) does not reach \(to): \(problem)." + (answer.passages.last.map(cure) ?? "")
    return answer
  }

  /// Where a packet leaves.
  private func way(_ passage: WhyAnswer.Passage) -> String {
    guard case .forward(let port) = passage.trace.verdict else { return "" }
    let name = tables.ports?[port]?.name ?? "port \(port)"
    let destination = FrameLayers(passage.out).ipv4?.destination
    guard port == K8sDP.hostPort else {
      return "it leaves by \(name)" + (destination.map { " to \(words($0))" } ?? "")
    }
    let isHosts = destination.flatMap { tables.site($0) }?.port == port
    return "it leaves by \(name), to the host"
      + (isHosts ? "" : "; what the node's own routes do with it is not seen from here")
  }

  /// What can be done about the last packet.
  private func cure(_ passage: WhyAnswer.Passage) -> String {
    guard case .drop(let reason) = passage.trace.verdict else {
      return problem(passage) == nil
        ? "" : " Look into the pod: ip -d link show; its runtime's log."
    }
    return reason.cure.map { " \($0)" } ?? ""
  }

  private func destination(_ question: WhyQuestion) -> String {
    guard let transport = question.transport.ofServices else { return words(question.destination) }
    let socket = K8sDP.Connection.Socket(question.destination, question.port)
    let service = ServiceAddress(question.destination, transport, question.port)
    guard let name = tables.names.service(service) else { return words(socket) }
    return "\(name) \(socket)"
  }

  private func words(_ address: IPv4Address) -> String {
    let name = tables.names.pod(address) ?? tables.names.book.services[address.value]
    return name.map { "\($0) \(address)" } ?? "\(address)"
  }

  private func words(_ socket: K8sDP.Connection.Socket) -> String {
    tables.names.pod(socket.address).map { "\($0) \(socket)" } ?? "\(socket)"
  }
}

extension DropReason {
  /// What an operator can do; nil where nothing is wrong with the node.
  var cure: String? {
    switch self {
    case .noService:
      "Compare with: kubectl get service -A -o wide. If the port is there, see k8sdp top for the "
        + "health of the node, and the logs of infraagent and inframanager."
    case .noEndpoint:
      "No pod behind it is ready: kubectl get endpointslices -A; kubectl describe the pods."
    case .endpointGone:
      "The endpoint left. A new connection is given another one; see kubectl get endpointslices."
    case .flowTableFull:
      "k8sdp top shows how full the tables are, k8sdp flows --count whose connections they hold."
    case .natCollision:
      "The client's port is in use with another Service of the same endpoint; another port works."
    case .noFlow:
      "The connection is not known any more: the client has to open it anew. See k8sdp flows."
    default: nil
    }
  }
}
