import Core
import Foundation

/// A file of lines of words, one space between two of them: what lies beside the state file of
/// a snapshot.
///
/// ```
/// k8sdp/v1 tables
/// routes 10.244.0.6 route_hop 2 02:00:00:00:02:06 02:00:00:00:00:01
/// end 1
/// ```
///
/// The first line says what it holds, the last one how many lines are between: a file that was
/// cut short is refused. Lines that begin with `#` are comments, and are not counted.
struct WordFile {
  static let end = "end"

  let path: String
  private let bytes: [UInt8]
  /// What the first line says behind the kind.
  private(set) var header: Line

  /// A line, to be read word by word.
  struct Line {
    fileprivate let path: String
    fileprivate let bytes: [UInt8]
    fileprivate let number: Int
    /// Where the line begins.
    fileprivate let start: Int
    fileprivate let words: ArraySlice<Range<Int>>
  }

  /// Reads a file and checks its first line.
  ///
  /// - Parameter kind: `tables`.
  init(contentsOf path: String, kind: String) throws(ReplayError) {
    self.path = path
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw ReplayError(path, "cannot be read; it belongs beside the state file that names it")
    }
    bytes = [UInt8](data)
    header = Line(path: path, bytes: bytes, number: 1, start: 0, words: [])
    var place = 0
    let words = Self.words(bytes, &place)
    let first = Line(path: path, bytes: bytes, number: 1, start: 0, words: words[...])
    guard words.count >= 2, first.text(0) == StateFileDecoder.apiVersion, first.text(1) == kind
    else {
      throw ReplayError(
        "\(path):1:1", "begins with \"\(StateFileDecoder.apiVersion) \(kind)\" when it is one")
    }
    header = Line(path: path, bytes: bytes, number: 1, start: 0, words: words[2...])
  }

  /// Every line but the first and the last.
  func read(_ body: (Line) throws(ReplayError) -> Void) throws(ReplayError) {
    var place = 0
    _ = Self.words(bytes, &place)
    var number = 1
    var count: UInt64 = 0
    while place < bytes.count {
      let start = place
      number += 1
      let words = Self.words(bytes, &place)
      let line = Line(path: path, bytes: bytes, number: number, start: start, words: words[...])
      guard !words.isEmpty, bytes[start] != UInt8(ascii: "#") else { continue }
      guard line.text(0) == Self.end else {
        try body(line)
        count += 1
        continue
      }
      let wanted = try line.number(1, "the number of lines", 0...UInt64.max)
      try line.check(count: 2)
      guard wanted == count else {
        throw line.error(1, "there are \(count) lines and not \(wanted); copy the file again")
      }
      guard place == bytes.count else {
        throw ReplayError("\(path):\(number + 1):1", "stands behind the end; remove it")
      }
      return
    }
    throw ReplayError(
      "\(path):\(number):1", "is cut short: its last line is not \"\(Self.end) N\"; copy it again")
  }

  /// The words of the line at a place, which moves behind it.
  private static func words(_ bytes: [UInt8], _ place: inout Int) -> [Range<Int>] {
    var words: [Range<Int>] = []
    words.reserveCapacity(16)
    var start = place
    while place < bytes.count {
      let byte = bytes[place]
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: " ") {
        if start < place { words.append(start..<place) }
        start = place + 1
      }
      place += 1
      if byte == UInt8(ascii: "\n") { return words }
    }
    if start < place { words.append(start..<place) }
    return words
  }
}

extension WordFile.Line {
  var count: Int { words.count }

  private func range(_ index: Int) -> Range<Int>? {
    let place = words.startIndex + index
    return words.indices.contains(place) ? words[place] : nil
  }

  /// A word; empty behind the last.
  func text(_ index: Int) -> String {
    range(index).map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
  }

  func error(_ index: Int, _ message: String) -> ReplayError {
    let end = words.last?.upperBound ?? start
    let column = (range(index)?.lowerBound ?? end) - start + 1
    return ReplayError("\(path):\(number):\(column)", message)
  }

  func check(count wanted: Int) throws(ReplayError) {
    guard count != wanted else { return }
    throw error(
      min(count, wanted), "the line has \(count) words, and \(wanted) belong there")
  }

  /// A decimal number.
  func number(
    _ index: Int, _ what: String, _ range: ClosedRange<UInt64>
  ) throws(ReplayError) -> UInt64 {
    guard let value = decimal(index) else {
      throw error(index, "\(what) is a whole number, not \"\(text(index))\"")
    }
    guard range.contains(value) else {
      throw error(index, "\(what) is \(range.lowerBound) to \(range.upperBound), not \(value)")
    }
    return value
  }

  /// The value of a field: a decimal number, an IPv4 address or a MAC address.
  func value(_ index: Int, _ field: Contract.Field) throws(ReplayError) -> UInt64 {
    guard let value = decimal(index) ?? address(index) else {
      throw error(
        index, "\(field.name) is a number, an IPv4 address or a MAC address, not \"\(text(index))\""
      )
    }
    guard value <= field.maximum else {
      throw error(index, "\(field.name) = \(value) does not fit into \(field.bits) bits")
    }
    return value
  }

  private func decimal(_ index: Int) -> UInt64? {
    guard let range = range(index) else { return nil }
    var value: UInt64 = 0
    for byte in bytes[range] {
      guard (48...57).contains(byte) else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 48))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  private func address(_ index: Int) -> UInt64? {
    let text = text(index)
    return IPv4Address(text).map { UInt64($0.value) } ?? MACAddress(text)?.value
  }
}
