import Core

extension Infrap4dClient {
  /// What is in the tables of a server that runs `k8s_dp`, and which numbers its flows have.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable``.
  public func programmed() async throws(DataplaneError) -> ProgrammedState {
    try await attempt { () async throws(DataplaneError) in
      // Entries that are learned from now on only have numbers of these rows.
      try await readLearned(into: ProgrammedState(Array(wanted.rows.values))) {
        $0.note(learned: $1)
      }
    }
  }
}
