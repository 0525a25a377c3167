import Core

/// One way in which upstream misbehaves and we do not, with frames that show it.
public struct Difference: Hashable, Sendable {
  /// What must be true of one frame.
  public struct Expectation: Hashable, Sendable {
    /// Its number in the fixture, from 1.
    public var frame: Int
    public var upstream: [FrameFact]
    public var ours: [FrameFact]
  }

  public var id: String
  public var title: String
  /// The rule of `k8s_dp` it breaks: `R1` to `R15`.
  public var rule: String
  public var control: UpstreamControl
  /// The folder in `Fixtures`.
  public var fixture: String
  /// What an operator would see.
  public var sees: String
  /// Why, in the terms of the pipeline.
  public var why: String
  public var expectations: [Expectation]
}

extension Difference {
  /// The frames of one run of its fixture.
  public struct Shown: Hashable, Sendable {
    public var difference: Difference
    public var frames: [SideBySide.Frame]
    /// Where a frame is not as the catalogue says; empty when all are.
    public var problems: [String]
    /// Whether upstream's pipeline has run, and not only ours.
    public var hasUpstream: Bool { frames.contains { $0.upstream != nil } }
  }

  /// Runs the fixture.
  ///
  /// - Parameters:
  ///   - fixtures: the folder of all fixtures.
  ///   - upstream: nil runs ours only.
  public func show(
    fixtures: String, upstream: PipelineSpec?, sizes: [String: Int] = [:]
  ) throws(ReplayError) -> Shown {
    let run = try FixtureFolder(path: "\(fixtures)/\(fixture)").run()
    let pair = SideBySide(run: run, upstream: upstream, control: control, sizes: sizes)
    let frames = try pair.frames(Set(expectations.map(\.frame)))
    var problems: [String] = []
    for expectation in expectations {
      guard let frame = frames.first(where: { $0.input.number == expectation.frame }) else {
        continue
      }
      problems += expectation.problems(of: frame)
    }
    return Shown(difference: self, frames: frames, problems: problems)
  }
}

extension Difference.Expectation {
  /// Where a frame is not as expected.
  func problems(of frame: SideBySide.Frame) -> [String] {
    var problems = problems("ours", ours, frame.ours, frame.input)
    guard let theirs = frame.upstream else { return problems }
    problems += self.problems("upstream", upstream, theirs, frame.input)
    if self.problems("ours", upstream, frame.ours, frame.input).isEmpty {
      problems.append("frame \(frame.input.number): what upstream does, ours does as well")
    }
    return problems
  }

  private func problems(
    _ who: String, _ facts: [FrameFact], _ result: FrameResult, _ frame: InputFrame
  ) -> [String] {
    facts.compactMap { fact in
      let found = FrameFact.measured(fact.subject, of: result, input: frame.bytes)
      guard found != fact else { return nil }
      return "frame \(frame.number), \(who): \(fact) is expected, it is \(found.value)"
    }
  }
}
