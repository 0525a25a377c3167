import Logging
import Synchronization

/// What a daemon logs: lines on standard error and, where it is asked for, in a file, in one
/// format and at one level that can be changed while it runs and that every module obeys.
public enum DaemonLog {
  private struct Current {
    var configured = Options()
    var level = Logger.Level.info
  }

  private static let current = Mutex(Current())
  private static let sink = LogSink()

  /// To be called once, before any logger is made. From then on SIGUSR1 makes the level one
  /// step more detailed, and SIGUSR2 takes it back to what was configured.
  ///
  /// - Parameter program: what each line says that it comes from. A logger whose label is
  ///   another name is a module of it.
  public static func bootstrap(_ program: String, _ options: Options) {
    sink.use(options, program: program)
    set(options)
    LoggingSystem.bootstrap { Handler(label: $0, sink: sink) }
    let logger = Logger(label: program)
    LevelSignals.shared.follow { isMore in
      current.withLock { current in
        current.level = isMore ? current.level.moreDetailed : current.configured.level
      }
      logger.notice("log level", metadata: ["log_level": "\(level)"])
    }
  }

  /// Changes level and format; the file stays.
  public static func set(_ options: Options) {
    sink.format = options.format
    current.withLock {
      $0.configured = options
      $0.level = options.level
    }
  }

  public static var level: Logger.Level { current.withLock { $0.level } }

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
    let label: String
    let sink: LogSink
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    var logLevel: Logger.Level {
      get { DaemonLog.level }
      set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      var all = metadata
      if let more = metadataProvider?.get() { all.merge(more) { $1 } }
      if let more = event.metadata { all.merge(more) { $1 } }
      if let error = event.error { all["reason"] = "\(error)" }
      sink.write(event.level, module: label, "\(event.message)", all)
    }
  }
}

extension Logger.Level {
  fileprivate var moreDetailed: Logger.Level {
    let all = Logger.Level.allCases
    guard let i = all.firstIndex(of: self), i > all.startIndex else { return self }
    return all[all.index(before: i)]
  }
}
