import ArgumentParser
import DaemonLog

/// The settings of the log, as options: `LogFileSize` is `--log-file-size`.
struct LogOptions: ParsableArguments {
  @Option(help: "trace, debug, info, notice, warn, error or critical.")
  var logLevel = "info"

  @Option(help: "text, or json: an object a line.")
  var logFormat = "text"

  @Option(help: "Where lines go beside standard error; none: nowhere.")
  var logFile = "none"

  @Option(help: "Megabytes of that file before it is rotated.")
  var logFileSize = "10"

  @Option(help: "Rotated files that are kept.")
  var logFiles = "5"

  func options() throws -> DaemonLog.Options {
    let values = [
      "LogLevel": logLevel, "LogFormat": logFormat, "LogFile": logFile,
      "LogFileSize": logFileSize, "LogFiles": logFiles,
    ]
    do {
      return try DaemonLog.Options { values[$0] }
    } catch {
      throw ValidationError("\(Self.option(error.name)): \(error.message)")
    }
  }

  /// `--log-file-size` for `LogFileSize`.
  private static func option(_ name: String) -> String {
    name.reduce(into: "-") { text, character in
      if character.isUppercase { text += "-" }
      text += character.lowercased()
    }
  }

  func validate() throws { _ = try options() }
}
