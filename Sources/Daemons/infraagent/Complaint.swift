import CNIBackend

/// What the log has said of something that goes on: each kind of failure once, however long it
/// lasts and in however many words it comes.
struct Complaint {
  private var kinds: Set<String> = []

  var isEmpty: Bool { kinds.isEmpty }

  /// - Returns: whether it is to be said.
  mutating func isNew(_ error: any Error) -> Bool {
    let kind = (error as? CNIBackendError)?.code.rawValue ?? "\(type(of: error))"
    return kinds.insert(kind).inserted
  }

  /// It is well again: what comes next is new.
  mutating func end() { kinds = [] }
}
