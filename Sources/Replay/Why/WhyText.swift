import Core

extension WhyAnswer {
  /// Packet by packet, table by table; the last line is the verdict.
  public var text: String {
    var lines: [String] = []
    for (number, passage) in passages.enumerated() {
      lines.append(
        "\(number + 1). \(passage.what), in by port \(passage.port): "
          + PacketSummary.line(passage.frame))
      lines.append("   \(passage.trace.explanation)")
      lines += TraceText.lines(passage.trace.steps).map { "     " + $0 }
      if case .forward(let port) = passage.trace.verdict {
        lines.append("   out by port \(port): \(PacketSummary.line(passage.out))")
      }
      lines.append("")
    }
    if !endpoints.isEmpty {
      lines.append("A new connection is given one of these endpoints:")
      for endpoint in endpoints {
        lines.append(
          "   \(endpoint.socket)  \(endpoint.problem.map { "fails: \($0)" } ?? "arrives")")
      }
      lines.append("")
    }
    for remark in remarks { lines.append("Note: \(remark).") }
    lines.append(verdict)
    return lines.joined(separator: "\n") + "\n"
  }
}

extension WhyAnswer: Encodable {
  private enum CodingKeys: String, CodingKey {
    case arrives, verdict, problem, packets, endpoints, remarks
  }

  private struct Packet: Encodable {
    var what: String
    var port: PortID
    var summary: String
    var explanation: String
    var steps: [TracedFrame.Step]
    var verdict: VerdictText
    var out: String?
  }

  private struct Target: Encodable {
    var address: String
    var problem: String?
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(arrives, forKey: .arrives)
    try container.encode(verdict, forKey: .verdict)
    try container.encodeIfPresent(problem, forKey: .problem)
    try container.encode(remarks, forKey: .remarks)
    let packets = passages.map { passage in
      var packet = Packet(
        what: passage.what, port: passage.port, summary: PacketSummary.line(passage.frame),
        explanation: passage.trace.explanation,
        steps: passage.trace.steps.map(TracedFrame.Step.init),
        verdict: VerdictText(passage.trace.verdict))
      if case .forward = passage.trace.verdict { packet.out = PacketSummary.line(passage.out) }
      return packet
    }
    try container.encode(packets, forKey: .packets)
    try container.encode(
      endpoints.map { Target(address: $0.socket.description, problem: $0.problem) },
      forKey: .endpoints)
  }
}
