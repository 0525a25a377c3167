import ArgumentParser
import Foundation

/// The options that every daemon takes its settings by.
public struct ConfigurationOptions: ParsableArguments, Sendable {
  @Option(help: "The file of settings, YAML.")
  public var config: String?

  @Option(name: .customLong("set"), help: ArgumentHelp("A setting.", valueName: "name=value"))
  public var settings: [String] = []

  public init() {}

  /// - Parameters:
  ///   - flags: options that are settings by another name; `--set` goes before them.
  ///   - file: what is read, if it is there, without `--config`.
  ///   - isPerNode: whether `NODE_NAME.yaml` beside that file, NODE_NAME being in the
  ///     environment, overrides it, or what `--config` names.
  public func read(
    _ all: [Configuration.Setting], flags: [String: String] = [:], file: String,
    isPerNode: Bool = false, prefix: String
  ) throws(ConfigurationError) -> Configuration {
    var flags = flags
    for setting in settings {
      guard let equals = setting.firstIndex(of: "=") else {
        throw ConfigurationError("--set \(setting)", "give NAME=VALUE")
      }
      flags[String(setting[..<equals])] = String(setting[setting.index(after: equals)...])
    }
    let environment = ProcessInfo.processInfo.environment
    return try Configuration(
      all, file: config ?? file, isFileRequired: config != nil,
      overlay: isPerNode ? Self.overlay(beside: file, environment) : nil,
      environment: environment, prefix: prefix, flags: flags)
  }

  /// Upstream's: `/etc/infra/NODE_NAME.yaml`.
  static func overlay(beside file: String, _ environment: [String: String]) -> String? {
    guard let node = environment["NODE_NAME"], !node.isEmpty, !node.contains("/") else {
      return nil
    }
    return URL(fileURLWithPath: file).deletingLastPathComponent()
      .appendingPathComponent("\(node).yaml").path
  }

  /// The part of a daemon's help that lists its settings.
  public static func help(_ settings: [Configuration.Setting]) -> String {
    settings.map { "  \($0.name): \($0.value)\n      \($0.help)" }.joined(separator: "\n")
  }
}
