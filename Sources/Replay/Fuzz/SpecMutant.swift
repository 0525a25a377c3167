/// One deliberate fault in the text of a compiled pipeline.
public struct SpecMutant: Hashable, Sendable, Encodable {
  public enum Kind: String, CaseIterable, Sendable, Encodable {
    case leftOut = "left out"
    case opposite
    case constant
    case field
    case timer
  }

  public var kind: Kind
  /// Of the spec, from 1.
  public var line: Int
  public var before: String
  /// Empty where the instruction was left out.
  public var after: String

  /// As lists name it.
  public var name: String {
    "k8s_dp.spec:\(line): \(before) → \(after.isEmpty ? "left out" : after)"
  }

  /// Every fault this knows how to make: conditions turned round, instructions left
  /// out, constants and timers off by one, sums for differences, other fields.
  public static func all(of spec: String) -> [SpecMutant] {
    var mutants: [SpecMutant] = []
    var block = ""
    for (i, line) in spec.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
      guard let first = words.first else { continue }
      // Instructions are indented; `table` is one, too.
      if line.first != "\t",
        ["action", "apply", "table", "learner", "struct", "header"].contains(first)
      {
        block = first
      }
      let afters: [(kind: Kind, words: [String])]
      switch block {
      case "action", "apply": afters = instruction(words)
      case "learner": afters = words.count == 1 ? timer(first) : []
      default: afters = []
      }
      for after in afters {
        mutants.append(
          SpecMutant(
            kind: after.kind, line: i + 1, before: words.joined(separator: " "),
            after: after.words.joined(separator: " ")))
      }
    }
    return mutants
  }

  /// The spec with the fault in it.
  public func applied(to spec: String) -> String {
    var lines = spec.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    lines[line - 1] = "\t" + after
    return lines.joined(separator: "\n")
  }

  private static let opposites = [
    "jmpeq": "jmpneq", "jmpneq": "jmpeq", "jmpgt": "jmplt", "jmplt": "jmpgt", "jmph": "jmpnh",
    "jmpnh": "jmph", "jmpv": "jmpnv", "jmpnv": "jmpv", "ckadd": "cksub", "cksub": "ckadd",
    "and": "or", "add": "sub", "shl": "shr", "shr": "shl",
  ]
  private static let removable: Set = [
    "mov", "and", "add", "ckadd", "cksub", "rearm", "learn", "hash", "table", "regadd", "emit",
    "drop", "shl", "shr",
  ]
  private static let swaps = [
    "src_ip": "dst_ip", "src_port": "dst_port", "src_addr": "dst_addr", "src_mac": "dst_mac",
    "dmac": "smac", "new_ip": "own_ip",
  ]

  private static func instruction(_ words: [String]) -> [(Kind, [String])] {
    // `LABEL : instruction`
    let head = words.count > 2 && words[1] == ":" ? 2 : 0
    guard words.count > head else { return [] }
    let operation = words[head]
    var results: [(Kind, [String])] = []
    func with(_ index: Int, _ word: String) -> [String] {
      var changed = words
      changed[index] = word
      return changed
    }
    if let opposite = opposites[operation] { results.append((.opposite, with(head, opposite))) }
    if head == 0, removable.contains(operation) { results.append((.leftOut, [])) }
    if operation == "rearm", words.count == head + 2 {
      results.append((.leftOut, Array(words[...head])))
    }
    for i in words.indices where i > head {
      if words[i].hasPrefix("0x"), let value = UInt64(words[i].dropFirst(2), radix: 16) {
        results.append((.constant, with(i, "0x" + String(value ^ 1, radix: 16))))
      }
      for (one, other) in swaps {
        if words[i].hasSuffix(one) {
          results.append((.field, with(i, words[i].dropLast(one.count) + other)))
        } else if words[i].hasSuffix(other) {
          results.append((.field, with(i, words[i].dropLast(other.count) + one)))
        }
      }
    }
    return results.sorted { $0.1.joined() < $1.1.joined() }
  }

  private static func timer(_ word: String) -> [(Kind, [String])] {
    UInt32(word).map { [(.timer, ["\($0 * 2)"])] } ?? []
  }
}
