import DaemonLog

/// The settings of the log, which every daemon has.
extension Configuration {
  public static let log: [Setting] = DaemonLog.Options.names.map { Setting($0, $1, $2) }

  public func log() throws(ConfigurationError) -> DaemonLog.Options {
    do {
      return try DaemonLog.Options { self[$0] }
    } catch {
      throw ConfigurationError(error.name, error.message)
    }
  }
}
