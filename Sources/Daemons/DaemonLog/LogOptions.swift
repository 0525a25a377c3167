import Logging

extension DaemonLog {
  /// How lines look. Both have the same fields.
  public enum Format: String, Sendable, CaseIterable {
    /// For people: `2026-01-31T23:59:59.123Z notice   infraagent/cni: MESSAGE KEY=VALUE …`
    case text
    /// For collectors: one object a line, with `time`, `level`, `program`, `module`, `message`.
    case json
  }

  public struct Options: Sendable {
    public var level = Logger.Level.info
    public var format = Format.text
    /// Absolute; nil is none.
    public var file: String?
    /// Megabytes of a file before it is rotated.
    public var fileSize = 10
    /// Rotated files that are kept beside the one that is written.
    public var files = 5

    public static let fileSizes = 1...1024
    public static let fileCounts = 0...99

    public init() {}

    /// - Parameter value: what a setting says, by its name in ``names``; nil is not set.
    public init(_ value: (String) -> String?) throws(OptionError) {
      if let text = value("LogLevel") {
        guard let level = DaemonLog.level(named: text) else {
          throw OptionError("LogLevel", "\(text) is none; give \(DaemonLog.levelNames)")
        }
        self.level = level
      }
      if let text = value("LogFormat") {
        guard let format = Format(rawValue: text.lowercased()) else {
          throw OptionError("LogFormat", "\(text) is none; give text or json")
        }
        self.format = format
      }
      if let text = value("LogFile"), text != "none" {
        guard text.hasPrefix("/"), !text.hasSuffix("/") else {
          throw OptionError("LogFile", "\(text) is no absolute path of a file; or give none")
        }
        file = text
      }
      if let text = value("LogFileSize") {
        fileSize = try Self.number(text, "LogFileSize", Self.fileSizes)
      }
      if let text = value("LogFiles") { files = try Self.number(text, "LogFiles", Self.fileCounts) }
    }

    /// For programs that have no other settings than the environment: `LogLevel` is
    /// `LOG_LEVEL`.
    public init(environment: [String: String]) throws(OptionError) {
      do {
        try self.init { environment[Self.variable($0)] }
      } catch {
        throw OptionError(Self.variable(error.name), error.message)
      }
    }

    /// What is to be set, with its default and what it means.
    public static let names: [(name: String, value: String, help: String)] = [
      ("LogLevel", "Info", "Trace, Debug, Info, Notice, Warn, Error or Critical"),
      ("LogFormat", "text", "text, or json: an object a line"),
      ("LogFile", "none", "where lines go beside standard error; none: nowhere"),
      ("LogFileSize", "10", "megabytes of that file before it is rotated"),
      ("LogFiles", "5", "rotated files that are kept"),
    ]

    private static func number(
      _ text: String, _ name: String, _ range: ClosedRange<Int>
    ) throws(OptionError) -> Int {
      guard let number = Int(text), range.contains(number) else {
        throw OptionError(name, "is \(text); give \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }

    /// `LogFileSize` is `LOG_FILE_SIZE`.
    static func variable(_ name: String) -> String {
      name.reduce(into: "") { text, character in
        if character.isUppercase, !text.isEmpty { text += "_" }
        text += character.uppercased()
      }
    }
  }

  /// What is wrong with one of them.
  public struct OptionError: Error, Hashable, CustomStringConvertible {
    public var name: String
    public var message: String

    init(_ name: String, _ message: String) {
      self.name = name
      self.message = message
    }

    public var description: String { "\(name): \(message)" }
  }
}
