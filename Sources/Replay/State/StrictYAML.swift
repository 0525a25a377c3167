import Foundation
import Yams

/// Reads YAML nodes of known shapes and refuses all others with their place.
struct StrictYAML {
  /// The file's path as it was given, for messages.
  let file: String

  /// A mapping's value with the key it stands under.
  struct Entry {
    var key: Node
    var value: Node
  }

  /// The only document of a file.
  func root(_ text: String) throws(ReplayError) -> Node {
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw ReplayError("\(file):1:1", "is empty; start with \"apiVersion: k8sdp/v1\"")
      }
      return node
    } catch {
      throw syntaxError(error)
    }
  }

  func error(_ node: Node, _ message: String) -> ReplayError {
    guard let mark = node.mark else { return ReplayError(file, message) }
    return ReplayError("\(file):\(mark)", message)
  }

  /// The line of a node, for "already used in line 4".
  func line(_ node: Node) -> Int { node.mark?.line ?? 0 }

  /// A mapping with these keys and no others.
  ///
  /// - Parameter what: What the mapping is, such as "a pod".
  func mapping(_ node: Node, _ what: String, required: [String] = [], optional: [String] = [])
    throws(ReplayError) -> [String: Entry]
  {
    let known = required + optional
    guard case .mapping(let mapping) = node else {
      throw error(node, "\(what) is a mapping with \(list(known)), not \(shape(node))")
    }
    var entries: [String: Entry] = [:]
    for (key, value) in mapping {
      guard let name = key.scalar?.string, known.contains(name) else {
        let name = key.scalar?.string ?? shape(key)
        let guess = closest(to: name, in: known).map { "did you mean \"\($0)\"?" }
        throw error(
          key, "\(what) has no key \"\(name)\"; " + (guess ?? "it takes \(list(known))"))
      }
      entries[name] = Entry(key: key, value: value)
    }
    for name in required where entries[name] == nil {
      throw error(node, "\(what) has no \"\(name)\"; add it")
    }
    return entries
  }

  /// A mapping with any keys.
  func pairs(_ node: Node, _ what: String) throws(ReplayError) -> [(key: Node, value: Node)] {
    guard case .mapping(let mapping) = node else {
      throw error(node, "\(what) is a mapping, not \(shape(node))")
    }
    return mapping.map { ($0.key, $0.value) }
  }

  func sequence(_ node: Node, _ what: String) throws(ReplayError) -> [Node] {
    guard case .sequence(let sequence) = node else {
      throw error(node, "\(what) is a list, not \(shape(node))")
    }
    return Array(sequence)
  }

  /// A scalar's text, quoted or not.
  func text(_ node: Node, _ what: String) throws(ReplayError) -> String {
    guard case .scalar(let scalar) = node, !isNull(scalar) else {
      throw error(node, "\(what) is text, not \(shape(node))")
    }
    return scalar.string
  }

  /// A plain decimal number without sign, separators or leading zeros.
  func integer(_ node: Node, _ what: String, _ range: ClosedRange<UInt64>) throws(ReplayError)
    -> UInt64
  {
    guard case .scalar(let scalar) = node, scalar.style == .plain, !scalar.string.isEmpty,
      scalar.string.utf8.allSatisfy({ (48...57).contains($0) }),
      scalar.string == "0" || !scalar.string.hasPrefix("0")
    else {
      throw error(node, "\(what) is a whole number, not \(shape(node))")
    }
    guard let value = UInt64(scalar.string), range.contains(value) else {
      throw error(
        node, "\(what) is \(range.lowerBound) to \(range.upperBound), not \(scalar.string)")
    }
    return value
  }

  /// Seconds with an optional decimal fraction, in nanoseconds.
  func seconds(_ node: Node, _ what: String) throws(ReplayError) -> UInt64 {
    guard case .scalar(let scalar) = node, scalar.style == .plain else {
      throw error(node, "\(what) is a number of seconds, not \(shape(node))")
    }
    let parts = scalar.string.split(separator: ".", omittingEmptySubsequences: false)
    let digits = parts.allSatisfy { part in
      !part.isEmpty && part.utf8.allSatisfy { (48...57).contains($0) }
    }
    guard digits, (1...2).contains(parts.count), parts[0].count <= 9,
      let whole = UInt64(parts[0])
    else {
      throw error(
        node, "\(what) is a number of seconds such as 12.5, not \(shape(node))")
    }
    let fraction = parts.count == 2 ? String(parts[1]) : "0"
    guard fraction.count <= 9 else {
      throw error(node, "\(what) has more than nine decimals; a nanosecond is the least")
    }
    let padded = fraction + String(repeating: "0", count: 9 - fraction.count)
    return whole * 1_000_000_000 + (UInt64(padded) ?? 0)
  }

  /// What a node is, in words.
  func shape(_ node: Node) -> String {
    switch node {
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    case .scalar(let scalar): isNull(scalar) ? "nothing" : "\"\(scalar.string)\""
    }
  }

  private func isNull(_ scalar: Node.Scalar) -> Bool {
    scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
  }

  private func list(_ names: [String]) -> String { names.joined(separator: ", ") }

  private func syntaxError(_ error: any Error) -> ReplayError {
    switch error {
    case let error as ReplayError:
      return error
    case YamlError.scanner(_, let problem, let mark, _),
      YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      return ReplayError("\(file):\(mark)", "is not YAML: \(problem); correct it")
    case YamlError.duplicatedKeysInMapping(let names, let context):
      let name = names.first ?? ""
      return ReplayError(
        "\(file):\(context.mark)", "key \"\(name)\" is given more than once; keep one")
    case YamlError.reader(let problem, _, _, _):
      return ReplayError(file, "is not YAML: \(problem); save it as UTF-8 text")
    default:
      return ReplayError(file, "is not YAML; correct it")
    }
  }

  /// The known name that differs from `name` by at most two edits.
  private func closest(to name: String, in known: [String]) -> String? {
    guard name.count <= 40 else { return nil }
    return known.map { ($0, distance($0.lowercased(), name.lowercased())) }
      .filter { $0.1 <= 2 && $0.1 < $0.0.count }.min { $0.1 < $1.1 }?.0
  }

  /// Levenshtein distance.
  private func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == b[j] ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}
