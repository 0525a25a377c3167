import Core
import P4RuntimeCodec

/// The entries that controllers wrote, as the engine has them, to be looked at.
public struct RowView: Sendable {
  private let state: ForwardingState

  init(_ state: ForwardingState) { self.state = state }

  /// Of the pipeline as it was pushed.
  public var contract: Contract { state.program.contract }

  /// In no order; none for a table that is not there.
  public func entries(of table: String) -> some Sequence<TableEntry> {
    let found = find(table)
    return (found.flatMap { state.tables[$0.id] } ?? [:]).lazy.compactMap { key, row in
      found.flatMap { entry($0, key, row) }
    }
  }

  public func entry(of table: String, key: [UInt64]) -> TableEntry? {
    guard let table = find(table) else { return nil }
    let key = state.program.matchKey(key, in: table)
    return state.tables[table.id]?[key].flatMap { entry(table, key, $0) }
  }

  private func find(_ name: String) -> P4Program.Table? {
    state.program.tables.values.first { $0.engineTable == name }
  }

  private func entry(_ table: P4Program.Table, _ key: MatchKey, _ row: Row) -> TableEntry? {
    guard case .call(let call) = row.action else { return nil }
    return state.program.engineEntry(table, key, call)
  }
}

extension PipelineController {
  /// Looks at the entries where they are: requests wait until `body` has returned.
  ///
  /// - Returns: nil when there is no pipeline, or while a request changes the entries, which is
  ///   not waited for.
  public func withRows<Result: Sendable>(_ body: @Sendable (RowView) -> Result) -> Result? {
    activeState.map { body(RowView($0)) }
  }
}

extension PipelineController {
  /// Runs `body` with the entries while no request changes any: those of the dataplane are the
  /// same. What `body` keeps of them stays as it is.
  ///
  /// - Throws: ``P4Error/Code/failedPrecondition`` when no pipeline is installed, and what `body`
  ///   throws.
  public func whileStill<Result: Sendable>(
    _ body: @escaping @Sendable (RowView) async throws -> Result
  ) async throws -> Result {
    try await turnstile.pass {
      guard let state = await self.activeState else {
        throw P4Error(
          .failedPrecondition, "no pipeline is installed; a controller has to push one")
      }
      return try await body(RowView(state))
    }
  }
}
