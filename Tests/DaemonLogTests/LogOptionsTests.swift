import Logging
import Testing

@testable import DaemonLog

@Suite struct LogOptionsTests {
  @Test(arguments: [
    ("trace", Logger.Level.trace), ("Info", .info), ("Warn", .warning), ("WARNING", .warning),
    ("Panic", .critical), ("Fatal", .critical), ("critical", .critical),
  ])
  func levelsHaveSwiftsNamesAndUpstreams(_ name: String, _ level: Logger.Level) throws {
    #expect(try DaemonLog.Options { $0 == "LogLevel" ? name : nil }.level == level)
  }

  @Test func whatIsNotSetIsAsTheListSays() throws {
    let listed = Dictionary(
      uniqueKeysWithValues: DaemonLog.Options.names.map { ($0.name, $0.value) })
    let (own, unset) = (try DaemonLog.Options { listed[$0] }, DaemonLog.Options())
    #expect("\(own)" == "\(unset)")
  }

  @Test(arguments: [
    ("LOG_LEVEL", "loud", "LOG_LEVEL: loud is none; give trace, debug"),
    ("LOG_FORMAT", "xml", "LOG_FORMAT: xml is none; give text or json"),
    ("LOG_FILE", "here.log", "LOG_FILE: here.log is no absolute path of a file"),
    ("LOG_FILE", "/var/log/", "LOG_FILE: /var/log/ is no absolute path of a file"),
    ("LOG_FILE_SIZE", "0", "LOG_FILE_SIZE: is 0; give 1 to 1024"),
    ("LOG_FILES", "many", "LOG_FILES: is many; give 0 to 99"),
  ])
  func badOnesSayWhatToGive(_ name: String, _ value: String, _ text: String) {
    let error = #expect(throws: DaemonLog.OptionError.self) {
      try DaemonLog.Options(environment: [name: value])
    }
    #expect(error.map { "\($0)".hasPrefix(text) } == true, "\(String(describing: error))")
  }
}
