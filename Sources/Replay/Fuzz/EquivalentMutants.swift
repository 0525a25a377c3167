import Foundation

/// Faults that were looked into and change nothing that can be seen.
public struct EquivalentMutants: Sendable {
  /// Name of a fault → why.
  public private(set) var reasons: [String: String] = [:]

  public init() {}

  /// - Parameter text: Lines `# reason`, each followed by the names of the faults that
  ///   it is true of.
  public init(parsing text: String) {
    var reason = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# ") {
        reason = String(line.dropFirst(2))
      } else {
        reasons[String(line)] = reason
      }
    }
  }

  /// - Throws: ``ReplayError`` when the file cannot be read.
  public init(contentsOf path: String) throws(ReplayError) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw ReplayError(path, "cannot be read")
    }
    self.init(parsing: text)
  }
}
