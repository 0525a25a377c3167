import Core

/// All frames of one input, for the terminal and for machines.
public struct SideBySideReport: Encodable, Sendable {
  public var frames: [SideBySide.Frame]

  public init(_ frames: [SideBySide.Frame]) { self.frames = frames }

  public var isSame: Bool { frames.allSatisfy(\.isSame) }

  /// Frames that differ in full, the others in one line.
  public var text: String {
    var text = ""
    for frame in frames {
      if frame.isSame {
        text +=
          "\(TraceText.heading(frame.input))\n  both: \(TraceText.verdict(frame.ours.verdict))\n\n"
      } else {
        text += SideBySideText(frame: frame).text + "\n\n"
      }
    }
    let different = frames.count { !$0.isSame }
    return text + "\(different) of \(frames.count) frames differ.\n"
  }

  public func encode(to encoder: any Encoder) throws {
    try frames.map(DifferenceReport.Frame.init).encode(to: encoder)
  }
}
