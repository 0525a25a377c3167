import Core

/// What updates are about that can be sent in any order: nothing of one table or selector
/// refers to another of it.
enum UpdateTarget: Hashable, Sendable {
  case rows(of: String)
  case removal(from: String)
  case groups(of: String)

  private init?(_ update: Update) {
    switch update {
    case .insert(let entry), .modify(let entry): self = .rows(of: entry.table)
    case .delete(let table, _): self = .removal(from: table)
    case .setGroup(let selector, _, _): self = .groups(of: selector)
    case .setDefault, .resetDefault: return nil
    }
  }

  /// The one of all these updates, or nil.
  init?(common updates: ArraySlice<Update>) {
    guard let first = updates.first.flatMap(Self.init),
      updates.dropFirst().allSatisfy({ Self($0) == first })
    else { return nil }
    self = first
  }
}
