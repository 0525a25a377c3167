import Foundation

/// A list of named things on disk, of which the changes are written and not the whole.
public final class ListLog<Element: Codable & Equatable> {
  private enum Kind: UInt8 {
    /// All, as JSON.
    case list = 1
    /// Those that are new or have changed, as JSON.
    case changed = 2
    /// The names of those that are gone, as JSON.
    case removed = 3
  }

  private let log: RecordLog
  private let name: (Element) -> String
  /// What is in the file; nil while that is another process's, or not known.
  private var kept: [String: Element]?

  /// - Parameter name: tells an element from the others.
  public init(_ directory: StateDirectory, _ file: String, name: @escaping (Element) -> String) {
    log = RecordLog(directory, file)
    self.name = name
  }

  /// What the last process left, in the order in which it came.
  ///
  /// - Throws: `DecodingError` for what is no list.
  public func read() throws -> [Element] {
    var list: [Element] = []
    for record in log.read() {
      let decoder = JSONDecoder()
      switch Kind(rawValue: record.kind) {
      case .list: list = try decoder.decode([Element].self, from: record.payload)
      case .changed:
        for element in try decoder.decode([Element].self, from: record.payload) {
          if let index = list.firstIndex(where: { name($0) == name(element) }) {
            list[index] = element
          } else {
            list.append(element)
          }
        }
      case .removed:
        let names = Set(try decoder.decode([String].self, from: record.payload))
        list.removeAll { names.contains(name($0)) }
      case nil:
        throw DecodingError.dataCorrupted(
          .init(codingPath: [], debugDescription: "a record of kind \(record.kind)"))
      }
    }
    return list
  }

  /// Makes the file say what the list is. It survives this process, not a crash of the machine.
  ///
  /// - Throws: ``StateDirectoryError``. Then what is on disk may be older, and the next call
  ///   writes all.
  public func keep(_ list: [Element]) throws {
    let before = kept
    kept = nil
    let now = Dictionary(list.map { (name($0), $0) }) { _, last in last }
    if try before.map({ try append(list, now, since: $0) }) ?? true {
      let payload = try JSONEncoder().encode(list)
      try log.replace(with: [.init(kind: Kind.list.rawValue, payload: payload)], isDurable: false)
    }
    kept = now
  }

  /// - Returns: whether the file has become so long that it is better written anew.
  private func append(
    _ list: [Element], _ now: [String: Element], since before: [String: Element]
  ) throws -> Bool {
    let changed = list.filter { before[name($0)] != $0 }
    let removed = before.keys.filter { now[$0] == nil }
    var isLong = false
    if !changed.isEmpty { isLong = try append(.changed, changed) }
    if !removed.isEmpty { isLong = try append(.removed, removed) || isLong }
    return isLong
  }

  private func append(_ kind: Kind, _ content: some Encodable) throws -> Bool {
    try log.append(kind: kind.rawValue, JSONEncoder().encode(content))
  }
}
