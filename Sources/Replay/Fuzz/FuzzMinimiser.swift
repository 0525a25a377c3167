/// Cuts an episode down to the steps that a finding needs: delta debugging
/// (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
/// IEEE TSE 28, 2002).
struct FuzzMinimiser {
  let fuzzer: Fuzzer
  /// Replays it may take.
  var budget = 2000

  /// Keeps to one kind of finding: with fewer steps another may come up first.
  ///
  /// - Returns: the shortest episode found, and what it finds.
  mutating func minimise(_ episode: FuzzEpisode, _ finding: FuzzPair.Finding)
    throws(ReplayError) -> (FuzzEpisode, FuzzPair.Finding)
  {
    var best = (episode, finding)
    var chunk = max(1, best.0.steps.count / 2)
    while budget > 0 {
      var isSmaller = false
      // From the end, so that what the finding does not wait for goes first. Step 0
      // is time zero.
      var end = best.0.steps.count
      while end > 1, budget > 0 {
        let start = max(1, end - chunk)
        var shorter = best.0
        shorter.steps.removeSubrange(start..<end)
        if let found = try replay(shorter), found.kind == finding.kind {
          best = (shorter, found)
          isSmaller = true
        }
        end = start
      }
      if chunk == 1, !isSmaller { break }
      chunk = max(1, chunk / 2)
    }
    return best
  }

  /// Plays an episode on fresh dataplanes.
  private mutating func replay(_ episode: FuzzEpisode) throws(ReplayError) -> FuzzPair.Finding? {
    budget -= 1
    return try fuzzer.replay(episode)
  }
}
