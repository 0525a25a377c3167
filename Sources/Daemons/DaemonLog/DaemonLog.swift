import Foundation
import Logging
import Synchronization

/// What a daemon logs: lines on standard error, at one level that can be changed while
/// it runs and that every module obeys.
public enum DaemonLog {
  private static let current = Mutex(Logger.Level.info)

  /// To be called once, before any logger is made.
  public static func bootstrap(_ level: Logger.Level) {
    set(level)
    LoggingSystem.bootstrap { Handler(inner: .standardError(label: $0)) }
  }

  public static func set(_ level: Logger.Level) { current.withLock { $0 = level } }

  public static var level: Logger.Level { current.withLock { $0 } }

  /// swift-log's names, and those of upstream's configuration, in any case.
  public static func level(named name: String) -> Logger.Level? {
    switch name.lowercased() {
    case "panic", "fatal": .critical
    case "warn": .warning
    case let name: Logger.Level(rawValue: name)
    }
  }

  public static let levelNames = "trace, debug, info, notice, warn, error or critical"

  private struct Handler: LogHandler {
    var inner: StreamLogHandler

    var logLevel: Logger.Level {
      get { DaemonLog.level }
      set {}
    }

    var metadata: Logger.Metadata {
      get { inner.metadata }
      set { inner.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { inner[metadataKey: key] }
      set { inner[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { inner.log(event: event) }
  }
}
