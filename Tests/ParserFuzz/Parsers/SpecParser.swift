import Core
import K8sDPArtefacts

/// The text of a compiled pipeline.
public struct SpecParser: OutsideParser {
  public static let name = "spec"
  public init() {}

  /// The whole, and its blocks alone, which are quicker to change.
  public static func seeds(root: String) throws -> [[UInt8]] {
    let text = try Seeds.read(root + "/k8s_dp/k8s_dp.spec")
    let blocks = String(decoding: text, as: UTF8.self).split(separator: "\n}\n").map {
      Array(($0 + "\n}\n").utf8)
    }
    return [text] + blocks
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    guard let spec = try? PipelineSpec(parsing: String(decoding: bytes, as: UTF8.self)) else {
      return false
    }
    _ = spec.contract
    return true
  }
}
