import Foundation

/// `docs/differences.yaml`: all differences, in the order in which they are told.
public struct DifferenceCatalogue: Hashable, Sendable {
  public var differences: [Difference]

  /// - Throws: with `file:line:column` at the first thing that is wrong.
  public init(contentsOf path: String) throws(ReplayError) {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw ReplayError(
        path, "cannot be read; start k8sdp in the checkout, or name the file with --catalogue")
    }
    try self.init(yaml: text, path: path)
  }

  init(yaml text: String, path: String) throws(ReplayError) {
    let decoder = DifferenceDecoder(yaml: StrictYAML(file: path))
    differences = try decoder.decode(text)
  }
}
