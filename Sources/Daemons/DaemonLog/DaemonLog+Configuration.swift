import DaemonConfiguration
import Logging

extension DaemonLog {
  /// The level of the setting `LogLevel`, which every daemon has.
  public static func level(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> Logger.Level {
    guard let level = level(named: configuration["LogLevel"]) else {
      throw ConfigurationError(
        "LogLevel", "\(configuration["LogLevel"]) is none; give \(levelNames)")
    }
    return level
  }
}
