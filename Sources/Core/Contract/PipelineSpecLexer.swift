/// The words of a `.spec`, line by line. Blank lines and comments are left out.
struct PipelineSpecLexer {
  struct Line {
    var words: [String]
    var number: Int
  }

  /// The engine's limits (`RTE_SWX_NAME_SIZE`, `RTE_SWX_INSTRUCTION_TOKENS_MAX`
  /// is 16, its specification reader takes 256 words a line).
  static let maximumWord = 63
  static let maximumWords = 256

  let file: String
  private(set) var lines: [Line] = []
  private var position = 0

  init(_ text: String, file: String) throws(DataplaneError) {
    self.file = file
    var number = 0
    for raw in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      var words: [String] = []
      for word in raw.split(whereSeparator: { $0 == 0x20 || (0x09...0x0D).contains($0) }) {
        let first = word[word.startIndex]
        if first == UInt8(ascii: "#") || first == UInt8(ascii: ";")
          || word.starts(with: [0x2F, 0x2F])
        {
          break
        }
        guard word.allSatisfy({ (0x21...0x7E).contains($0) }) else {
          throw error(number, "a word has a byte that is not printable ASCII")
        }
        guard word.count <= Self.maximumWord else {
          throw error(
            number, "a word of \(word.count) bytes; the engine takes \(Self.maximumWord)")
        }
        words.append(String(decoding: word, as: UTF8.self))
      }
      guard words.count <= Self.maximumWords else {
        throw error(number, "more than \(Self.maximumWords) words in a line")
      }
      if !words.isEmpty { lines.append(Line(words: words, number: number)) }
    }
  }

  func error(_ line: Int, _ message: String) -> DataplaneError {
    DataplaneError(.invalidArgument, "\(file):\(line)", message)
  }

  /// The next line, or nil at the end of the text.
  mutating func next() -> Line? {
    guard position < lines.count else { return nil }
    defer { position += 1 }
    return lines[position]
  }

  /// The next line inside a block that was opened in `line`, nil at its `}`.
  mutating func next(inBlockOf line: Int) throws(DataplaneError) -> Line? {
    guard let next = next() else { throw error(line, "the block opened here is never closed") }
    return next.words == ["}"] ? nil : next
  }

  /// A number as C's `strtoull(text, 0)` reads it: 12, 0x1F or 017.
  static func number(_ text: String) -> UInt64? {
    let digits = text.utf8
    guard let first = digits.first, (0x30...0x39).contains(first), !digits.contains(0x2B)
    else { return nil }
    if digits.count > 2, text.hasPrefix("0x") || text.hasPrefix("0X") {
      let hex = text.dropFirst(2)
      return hex.utf8.first == UInt8(ascii: "-") ? nil : UInt64(hex, radix: 16)
    }
    if digits.count > 1, first == UInt8(ascii: "0") { return UInt64(text.dropFirst(), radix: 8) }
    return UInt64(text)
  }

  func number(_ text: String, _ line: Int, _ range: ClosedRange<UInt64>) throws(DataplaneError)
    -> UInt64
  {
    guard let value = Self.number(text), range.contains(value) else {
      throw error(
        line, "'\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }
}

extension PipelineSpec {
  /// A number of a spec as the engine reads it (C's `strtoull(text, 0)`).
  public static func number(_ text: String) -> UInt64? { PipelineSpecLexer.number(text) }
}
