/// As much of protobuf's text format as P4Info uses: `name: value`, `name { … }`.
struct TextProto {
  private(set) var values: [(name: String, value: String)] = []
  private(set) var messages: [(name: String, message: TextProto)] = []

  init(_ text: String) throws {
    var lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }[...]
    try self.init(&lines, isInner: false)
  }

  private init(_ lines: inout ArraySlice<Substring>, isInner: Bool) throws {
    while let line = lines.popFirst() {
      if line == "}" {
        if isInner { return }
        throw Malformed(line: String(line))
      }
      if line.hasSuffix(" {") {
        messages.append((String(line.dropLast(2)), try TextProto(&lines, isInner: true)))
      } else if let colon = line.firstIndex(of: ":") {
        var value = line[line.index(after: colon)...].drop { $0 == " " }
        if value.first == "\"" { value = value.dropFirst().dropLast() }
        values.append((String(line[..<colon]), String(value)))
      } else {
        throw Malformed(line: String(line))
      }
    }
    if isInner { throw Malformed(line: "the end") }
  }

  struct Malformed: Error { var line: String }

  func all(_ name: String) -> [TextProto] { messages.filter { $0.name == name }.map(\.message) }

  func first(_ name: String) -> TextProto? { all(name).first }

  subscript(_ name: String) -> String? { values.first { $0.name == name }?.value }

  func number(_ name: String) -> Int? { self[name].flatMap { Int($0) } }
}
