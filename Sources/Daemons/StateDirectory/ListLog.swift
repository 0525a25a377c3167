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
  /// What is in the file.
  private var kept: [String: Element] = [:]

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

  /// Replaces the file: what was read is the process before.
  ///
  /// - Throws: ``StateDirectoryError``. Then what is on disk is older, and the next ``keep(_:)``
  ///   writes all.
  public func replace(with list: [Element]) throws {
    let payload = try JSONEncoder().encode(list)
    try log.replace(with: [.init(kind: Kind.list.rawValue, payload: payload)], isDurable: false)
    kept = Dictionary(list.map { (name($0), $0) }) { _, last in last }
  }

  /// Makes the file say what the list is. It survives this process, not a crash of the machine.
  ///
  /// - Throws: as ``replace(with:)``.
  public func keep(_ list: [Element]) throws {
    let now = Dictionary(list.map { (name($0), $0) }) { _, last in last }
    let changed = list.filter { kept[name($0)] != $0 }
    let removed = kept.keys.filter { now[$0] == nil }
    var isLong = false
    if !changed.isEmpty { isLong = try append(.changed, changed) || isLong }
    if !removed.isEmpty { isLong = try append(.removed, removed) || isLong }
    if isLong { try replace(with: list) }
    kept = now
  }

  private func append(_ kind: Kind, _ content: some Encodable) throws -> Bool {
    try log.append(kind: kind.rawValue, JSONEncoder().encode(content))
  }
}
