import Foundation
import Yams

/// The settings of a daemon: flags override the environment, which overrides the file,
/// which overrides the defaults.
public struct Configuration: Sendable {
  /// One setting. A dot in its name is a level of the file.
  public struct Setting: Sendable {
    public var name: String
    public var value: String
    public var help: String

    public init(_ name: String, _ value: String, _ help: String) {
      self.name = name
      self.value = value
      self.help = help
    }
  }

  private var values: [String: String] = [:]
  public let settings: [Setting]

  /// - Parameters:
  ///   - settings: all there are, with their defaults.
  ///   - file: YAML; nil or, unless `isFileRequired`, one that is not there changes nothing.
  ///   - overlay: YAML of this node alone, which overrides the file's; nil or one that is not
  ///     there changes nothing.
  ///   - prefix: of environment variables: `GrpcServer.addr` is `PREFIX_GRPCSERVER_ADDR`.
  ///   - flags: setting → value.
  /// - Throws: ``ConfigurationError``, also for a key or a variable with the prefix that is none
  ///   of the settings.
  public init(
    _ settings: [Setting], file: String?, isFileRequired: Bool = false, overlay: String? = nil,
    environment: [String: String], prefix: String, flags: [String: String] = [:]
  ) throws(ConfigurationError) {
    self.settings = settings
    for setting in settings { values[setting.name.lowercased()] = setting.value }
    if let file, isFileRequired || FileManager.default.fileExists(atPath: file) {
      try read(file)
    }
    if let overlay, FileManager.default.fileExists(atPath: overlay) { try read(overlay) }
    try read(environment, prefix)
    for (name, value) in flags.sorted(by: { $0.key < $1.key }) {
      try set(name, value, "--set \(name)")
    }
  }

  /// The value of a setting that is one of `settings`.
  public subscript(name: String) -> String { values[name.lowercased()] ?? "" }

  public static func variable(_ name: String, _ prefix: String) -> String {
    prefix + "_" + name.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }
  }

  private mutating func read(
    _ environment: [String: String], _ prefix: String
  ) throws(ConfigurationError) {
    let variables = Dictionary(
      settings.map { (Self.variable($0.name, prefix), $0.name) },
      uniquingKeysWith: { first, _ in first })
    for (variable, value) in environment.sorted(by: { $0.key < $1.key })
    where variable.hasPrefix(prefix + "_") {
      if let name = variables[variable] {
        values[name.lowercased()] = value
      } else if !Self.isOfService(variable, value) {
        let known = variables.keys.sorted().joined(separator: ", ")
        throw ConfigurationError(variable, "is no setting; there are \(known)")
      }
    }
  }

  /// Whether Kubernetes has given a pod this variable, of a Service whose name begins as the
  /// daemon's: `NAME_SERVICE_HOST`, `NAME_PORT_80_TCP_ADDR` and their like.
  private static func isOfService(_ variable: String, _ value: String) -> Bool {
    variable.wholeMatch(of: /.+_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_.+)?)/)
      != nil
      || variable.hasSuffix("_PORT") && value.contains("://")
  }

  private mutating func set(
    _ name: String, _ value: String, _ place: String
  ) throws(ConfigurationError) {
    guard values[name.lowercased()] != nil else {
      let known = settings.map(\.name).joined(separator: ", ")
      throw ConfigurationError(place, "\(name) is no setting; there are \(known)")
    }
    values[name.lowercased()] = value
  }

  private mutating func read(_ file: String) throws(ConfigurationError) {
    let node: Node?
    do {
      node = try Yams.compose(yaml: try String(contentsOfFile: file, encoding: .utf8))
    } catch let error as YamlError {
      throw ConfigurationError(file, "\(error)")
    } catch {
      throw ConfigurationError(file, "cannot be read: \(error.localizedDescription)")
    }
    guard let node, node.null == nil else { return }
    try read(node, "", file)
  }

  private mutating func read(
    _ node: Node, _ path: String, _ file: String
  ) throws(ConfigurationError) {
    let place = node.mark.map { "\(file):\($0.line):\($0.column)" } ?? file
    switch node {
    case .mapping(let mapping):
      var seen: Set<String> = []
      for (key, value) in mapping {
        let mark = key.mark.map { "\(file):\($0.line):\($0.column)" } ?? file
        guard let name = key.string else {
          throw ConfigurationError(mark, "a key must be text")
        }
        guard seen.insert(name.lowercased()).inserted else {
          throw ConfigurationError(mark, "\(name) is there twice")
        }
        let full = path.isEmpty ? name : "\(path).\(name)"
        if case .mapping = value {
          try read(value, full, file)
        } else {
          guard case .scalar(let scalar) = value else {
            throw ConfigurationError(mark, "\(full) takes one value")
          }
          try set(full, scalar.string, mark)
        }
      }
    default:
      throw ConfigurationError(place, "expected: KEY: VALUE")
    }
  }
}
