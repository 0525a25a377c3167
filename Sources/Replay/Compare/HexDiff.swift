/// The bytes of two frames beside each other, sixteen a row.
public struct HexDiff: Hashable, Sendable {
  /// A row that differs, or stands next to one that does.
  public struct Row: Hashable, Sendable {
    /// The offset of its first byte.
    public var offset: Int
    /// Nil behind the end of a frame.
    public var left: [UInt8?]
    public var right: [UInt8?]

    /// Whether byte `i` of the row is not the same on both sides.
    public func differs(_ i: Int) -> Bool { left[i] != right[i] }
    public var differs: Bool { left != right }
  }

  public var rows: [Row]
  /// Offsets of all bytes that differ.
  public var offsets: [Int]

  /// - Parameter context: Equal rows shown before and after differing ones.
  public init(_ left: [UInt8], _ right: [UInt8], context: Int = 1) {
    let count = max(left.count, right.count)
    func byte(_ bytes: [UInt8], _ i: Int) -> UInt8? { i < bytes.count ? bytes[i] : nil }
    let all = stride(from: 0, to: count, by: 16).map { start in
      Row(
        offset: start, left: (start..<start + 16).map { byte(left, $0) },
        right: (start..<start + 16).map { byte(right, $0) })
    }
    let marked = all.indices.filter { all[$0].differs }
    rows = all.indices.filter { i in marked.contains { abs($0 - i) <= context } }.map { all[$0] }
    offsets = (0..<count).filter { byte(left, $0) != byte(right, $0) }
  }

  /// Two lines a row that differs, with a third that marks the bytes.
  public func text(left: String, right: String) -> String {
    let width = max(left.count, right.count)
    var lines: [String] = []
    var expected = rows.first?.offset ?? 0
    for row in rows {
      if row.offset != expected { lines.append("  …") }
      expected = row.offset + 16
      let offset = Self.offset(row.offset)
      if row.differs {
        lines.append("  \(offset)  \(pad(left, width))  \(Self.hex(row.left))")
        lines.append("          \(pad(right, width))  \(Self.hex(row.right))")
        let marks = (0..<16).map { row.differs($0) ? "^^" : "  " }.joined(separator: " ")
        lines.append(trimmed("          \(pad("", width))  \(marks)"))
      } else {
        lines.append("  \(offset)  \(pad("both", width))  \(Self.hex(row.left))")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  static func offset(_ value: Int) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  static func hex(_ byte: UInt8?) -> String {
    guard let byte else { return "--" }
    return (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }

  private static func hex(_ bytes: [UInt8?]) -> String {
    bytes.map(hex).joined(separator: " ")
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }
}
