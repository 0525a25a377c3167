import Glibc
import Logging

/// One event, as it is written.
struct LogLine {
  var time: timespec
  var level: Logger.Level
  var program: String
  /// nil for what concerns the program as a whole.
  var module: String?
  var message: String
  /// Sorted by key.
  var fields: [(key: String, value: String)]

  /// Bytes of a message or a value; more is cut off, so that no request fills a log by itself.
  static let longest = 4096

  /// What every line has; a field of that name gets an underscore.
  private static let reserved: Set<String> = ["time", "level", "program", "module", "message"]

  init(
    _ time: timespec, _ level: Logger.Level, program: String, module: String,
    _ message: String, _ metadata: Logger.Metadata
  ) {
    self.time = time
    self.level = level
    self.program = program
    self.module = module == program ? nil : module
    self.message = Redaction.apply(to: message)
    fields =
      metadata.map { key, value in
        (Self.reserved.contains(key) ? key + "_" : key, Redaction.apply(to: "\(value)"))
      }
      .sorted { $0.key < $1.key }
  }

  func bytes(_ format: DaemonLog.Format) -> [UInt8] {
    var line = format == .text ? text : json
    line += "\n"
    return Array(line.utf8)
  }

  private var text: String {
    let level = level.rawValue.padding(to: 8)
    var line = "\(Self.utc(time)) \(level) \(program)\(module.map { "/" + $0 } ?? ""): "
    line += Self.escaped(message, quotes: false)
    for (key, value) in fields {
      let isBare = !value.isEmpty && value.unicodeScalars.allSatisfy { Self.isBare($0) }
      line += isBare ? " \(key)=\(Self.cut(value))" : " \(key)=\"\(Self.escaped(value))\""
    }
    return line
  }

  private var json: String {
    var members = [("time", Self.utc(time)), ("level", level.rawValue), ("program", program)]
    if let module { members.append(("module", module)) }
    members.append(("message", message))
    members += fields.map { ($0.key, $0.value) }
    return "{"
      + members.map { "\"\(Self.escaped($0))\":\"\(Self.escaped($1))\"" }.joined(separator: ",")
      + "}"
  }

  /// RFC 3339 with milliseconds.
  static func utc(_ time: timespec) -> String {
    var seconds = time.tv_sec
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + "\(number)" }
    let milliseconds = "\(1000 + time.tv_nsec / 1_000_000)".dropFirst()
    return "\(1900 + parts.tm_year)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
      + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(milliseconds)Z"
  }

  private static func isBare(_ scalar: Unicode.Scalar) -> Bool {
    !isHidden(scalar) && scalar != " " && scalar != "\"" && scalar != "=" && scalar != "\\"
  }

  /// What a terminal would act upon, or would show otherwise than it is: a line stays one.
  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  /// Escapes are those of JSON strings (RFC 8259, section 7).
  private static func escaped(_ text: String, quotes: Bool = true) -> String {
    var result = ""
    for scalar in cut(text).unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\"" where quotes, "\\" where quotes: result += "\\\(scalar)"
      case _ where isHidden(scalar):
        for unit in String(scalar).utf16 {
          result += "\\u" + String(UInt32(unit) + 0x10000, radix: 16).dropFirst()
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func cut(_ text: String) -> String {
    let more = text.utf8.count - longest
    guard more > 0 else { return text }
    // Never within a character.
    let end = text.utf8.index(text.startIndex, offsetBy: longest)
    let start = text.unicodeScalars.index(before: text.unicodeScalars.index(after: end))
    return text[..<start] + "… (\(more) bytes more)"
  }
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
