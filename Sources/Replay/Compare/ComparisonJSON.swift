import Core

/// A comparison for machines.
extension Comparison: Encodable {
  private enum CodingKeys: String, CodingKey {
    case equal, frames, left, right
    case differingFrames = "differing_frames"
    case stateDifferences = "state_differences"
    case stateDifferenceFrame = "state_difference_frame"
    case first = "first_difference"
    case clampedTimes = "clamped_times"
  }

  private struct SideJSON: Encodable {
    var name: String
    var forwarded: [String: Int]
    var dropped: [String: Int]

    init(_ side: Side) {
      name = side.name
      forwarded = Dictionary(uniqueKeysWithValues: side.forwarded.map { ("\($0.key)", $0.value) })
      dropped = Dictionary(uniqueKeysWithValues: side.dropped.map { ($0.key.name, $0.value) })
    }
  }

  private struct FirstJSON: Encodable {
    var frame: Int
    var time: String
    var port: PortID
    var file: String
    var fileFrame: Int
    var summary: String
    var left: VerdictText
    var right: VerdictText
    var bytes: [Int]
    var fields: [String]

    enum CodingKeys: String, CodingKey {
      case frame, time, port, file
      case fileFrame = "file_frame"
      case summary, left, right
      case bytes = "differing_bytes"
      case fields = "differing_fields"
    }

    init(_ difference: FrameDifference) {
      let diff = difference.hexDiff
      frame = difference.frame.number
      time = TraceText.seconds(difference.frame.time)
      port = difference.frame.port
      file = difference.frame.source
      fileFrame = difference.frame.sourceNumber
      summary = PacketSummary.line(difference.frame.bytes)
      left = VerdictText(difference.left.verdict)
      right = VerdictText(difference.right.verdict)
      bytes = diff?.offsets ?? []
      fields = FrameFields(difference.left.bytes).names(of: bytes)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isEqual, forKey: .equal)
    try container.encode(outcome.frames, forKey: .frames)
    try container.encode(SideJSON(left), forKey: .left)
    try container.encode(SideJSON(right), forKey: .right)
    try container.encode(differingFrames, forKey: .differingFrames)
    try container.encode(stateDifferences, forKey: .stateDifferences)
    try container.encodeIfPresent(stateDifferenceFrame, forKey: .stateDifferenceFrame)
    try container.encodeIfPresent(frameDifferences.first.map(FirstJSON.init), forKey: .first)
    try container.encode(outcome.clamped, forKey: .clampedTimes)
  }
}
