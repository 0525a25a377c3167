import Core
import Foundation
import Replay

/// State files, and their way into tables.
public struct StateFileParser: OutsideParser {
  public static let name = "state"
  private let file = InputFile()
  public init() {}

  public static func seeds(root: String) throws -> [[UInt8]] {
    try Seeds.files(root: root, suffix: "/state.yaml")
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    file.write(bytes)
    guard let state = try? StateFile(contentsOf: file.path) else { return false }
    var compiler = IntentCompiler()
    for intent in [state.intent] + state.events.map(\.intent) {
      guard (try? compiler.updates(for: intent)) != nil else { return false }
    }
    return true
  }
}
