import ArgumentParser
import DaemonConfiguration
import Foundation

/// Options by another way: what the command line does not say, the environment may, and what
/// neither says, a file. Names are those of the options.
enum Settings {
  static let defaultFile = "/etc/infra/infrap4d.yaml"
  static let prefix = "INFRAP4D"

  static let flags = ["insecure", "poll"]
  /// Values with commas between them.
  static let lists = ["listen", "cert-hosts"]
  static let names =
    flags + lists + [
      "dataplane", "max-ports", "memory", "metrics-address", "agent-check", "socket-mode",
      "max-connections", "max-request", "certs", "log-level", "log-format", "log-file",
      "log-file-size", "log-files", "state", "device-id", "cpu-port",
    ]

  /// With it the unit of systemd hands options to the command line.
  private static let ofTheUnit = "INFRAP4D_OPTIONS"

  /// Nobody has said it.
  private static let unset = "\u{0}"

  /// The command of this process, as its settings are now.
  static func command() throws -> Infrap4d {
    let all = try arguments(
      Array(CommandLine.arguments.dropFirst()),
      environment: ProcessInfo.processInfo.environment)
    return try Infrap4d.parse(all)
  }

  /// A command line with what file and environment add.
  ///
  /// - Throws: `ValidationError`.
  static func arguments(
    _ given: [String], environment: [String: String]
  ) throws -> [String] {
    guard given.allSatisfy({ !["-h", "--help", "--version"].contains($0) }) else { return given }
    let file = value(of: "config", in: given)
    let configuration: Configuration
    do {
      configuration = try Configuration(
        names.map { .init($0, unset, "") }, file: file ?? defaultFile,
        isFileRequired: file != nil,
        environment: environment.filter { $0.key != ofTheUnit }, prefix: prefix)
    } catch {
      throw ValidationError("\(error)")
    }
    var added: [String] = []
    for name in names where configuration[name] != unset && !has(name, given) {
      if flags.contains(name) {
        do {
          added.append(try configuration.flag(name) ? "--\(name)" : "--no-\(name)")
        } catch {
          throw ValidationError("\(error)")
        }
      } else if lists.contains(name) {
        added += configuration.list(name).map { "--\(name)=\($0)" }
      } else {
        // With a sign between, ArgumentParser takes no empty text.
        let value = configuration[name]
        added += value.isEmpty ? ["--\(name)", ""] : ["--\(name)=\(value)"]
      }
    }
    return added + given
  }

  private static func has(_ name: String, _ given: [String]) -> Bool {
    given.contains { ["--\(name)", "--no-\(name)"].contains($0) || $0.hasPrefix("--\(name)=") }
  }

  private static func value(of name: String, in given: [String]) -> String? {
    for (index, argument) in given.enumerated() {
      if argument == "--\(name)" { return given.dropFirst(index + 1).first }
      if argument.hasPrefix("--\(name)=") { return String(argument.dropFirst(name.count + 3)) }
    }
    return nil
  }
}
