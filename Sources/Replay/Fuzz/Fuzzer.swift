import Core

/// `k8sdp fuzz`: random lives of a node through two dataplanes, compared after
/// every frame and held to what must be true of any.
public struct Fuzzer {
  /// A finding, and how to see it again.
  public struct Failure: Hashable, Sendable, Codable {
    public var seed: UInt64
    /// Of the episode, from 1.
    public var frame: Int
    public var what: String
    /// Frames and changes it takes after it was cut down.
    public var steps: Int
    /// The folder with the fixture; a state file cannot have overwritten rows.
    public var fixture: String?
  }

  public struct Report: Hashable, Sendable, Codable {
    public var seed: UInt64
    public var episodes = 0
    public var frames = 0
    public var forwarded = 0
    /// Drop reason → frames.
    public var dropped: [String: Int] = [:]
    public var failure: Failure?

    public init(seed: UInt64) { self.seed = seed }

    /// Adds what another process did.
    public mutating func add(_ other: Report) {
      episodes += other.episodes
      frames += other.frames
      forwarded += other.forwarded
      dropped.merge(other.dropped, uniquingKeysWith: +)
      // The lowest seed, whichever process was faster.
      if let found = other.failure, found.seed < failure?.seed ?? .max { failure = found }
    }
  }

  public var seed: UInt64
  /// From one episode's seed to the next one's.
  public var stride: UInt64
  public var frames: Int
  public var left: String
  public var right: String
  /// Frames between two looks at learned entries and counters; 1 is after each.
  public var interval = 64
  /// Where to write a failure as a fixture.
  public var folder: String?
  /// Whether a failure is cut down to the steps it needs.
  var minimises = true
  /// Makes the dataplanes of an episode.
  var factory: @Sendable (FuzzEpisode) -> DataplaneFactory = {
    .k8sDP(sizes: $0.sizes, ports: 16, staleByte: $0.staleByte)
  }
  /// Hears of the frames done.
  public var progress: ((Int) -> Void)?
  /// Frames of one life.
  public static let episodeFrames = 3000

  public init(
    seed: UInt64, stride: UInt64 = 1, frames: Int, left: String = "model", right: String = "dpdk",
    folder: String? = nil, progress: ((Int) -> Void)? = nil
  ) {
    self.seed = seed
    self.stride = stride
    self.frames = frames
    self.left = left
    self.right = right
    self.folder = folder
    self.progress = progress
  }

  /// Episodes of one seed after the other, until the frames are through or one
  /// fails.
  public func run() throws(ReplayError) -> Report {
    var report = Report(seed: seed)
    while report.frames < frames {
      var generator = FuzzGenerator(seed: seed &+ stride &* UInt64(report.episodes))
      let count = min(Self.episodeFrames, frames - report.frames)
      let finding = try play(&generator, frames: count, &report)
      report.episodes += 1
      progress?(report.frames)
      if let finding {
        report.failure = try failure(generator.episode, finding)
        return report
      }
    }
    return report
  }

  private func play(_ generator: inout FuzzGenerator, frames: Int, _ report: inout Report)
    throws(ReplayError) -> FuzzPair.Finding?
  {
    var pair = try makePair(generator.episode, interval: interval)
    do throws(FuzzPair.Finding) {
      let end = report.frames + frames
      while report.frames < end {
        guard let (verdict, bytes) = try pair.play(generator.next(clock: pair.left.clock)) else {
          continue
        }
        generator.saw(verdict, bytes)
        report.frames += 1
        switch verdict {
        case .forward: report.forwarded += 1
        case .drop(let reason): report.dropped[reason.name, default: 0] += 1
        }
      }
      try pair.finish()
      return nil
    } catch { return error }
  }

  /// Plays a whole episode on fresh dataplanes.
  func replay(_ episode: FuzzEpisode) throws(ReplayError) -> FuzzPair.Finding? {
    // After every frame, so that none is needed only to get to the next look.
    var pair = try makePair(episode, interval: 1)
    do throws(FuzzPair.Finding) {
      for step in episode.steps { _ = try pair.play(step) }
      try pair.finish()
      return nil
    } catch { return error }
  }

  private func makePair(_ episode: FuzzEpisode, interval: Int) throws(ReplayError) -> FuzzPair {
    let pair = try factory(episode).makePair(left, right)
    return try FuzzPair(episode, pair.left, pair.right, interval: interval)
  }

  private func failure(_ episode: FuzzEpisode, _ finding: FuzzPair.Finding)
    throws(ReplayError) -> Failure
  {
    guard minimises else {
      return Failure(
        seed: episode.seed, frame: finding.frame, what: finding.what,
        steps: episode.steps.count)
    }
    var minimiser = FuzzMinimiser(fuzzer: self)
    let (shortest, found) = try minimiser.minimise(episode, finding)
    var failure = Failure(
      seed: episode.seed, frame: finding.frame, what: found.what, steps: shortest.steps.count)
    if let folder, shortest.isOfIntents {
      let path = "\(folder)/fuzz-\(episode.seed)"
      try FuzzFixture(shortest, what: found.what).write(to: path)
      failure.fixture = path
    }
    return failure
  }
}

extension Fuzzer.Report {
  /// Lines for people.
  public var text: String {
    var table = TextTable()
    table.add("episodes", episodes)
    table.add("frames", frames)
    table.add("forwarded", forwarded)
    for (reason, count) in dropped.sorted(by: { $0.key < $1.key }) {
      table.add("  \(reason)", count)
    }
    guard let failure else { return table.text + "\nNo difference, no broken invariant.\n" }
    var text = table.text + "\nSeed \(failure.seed), frame \(failure.frame): \(failure.what)\n"
    text += "It takes \(failure.steps) steps.\n"
    if let fixture = failure.fixture { text += "Written as a fixture: \(fixture)\n" }
    return text
  }
}
