import Core
import K8sDPArtefacts
import P4RuntimeCodec
import P4RuntimeProtos
import SwiftProtobuf

/// P4Info as text, bound to our pipeline.
public struct P4InfoParser: OutsideParser {
  public static let name = "p4info"
  private let spec: PipelineSpec

  public init() throws { spec = try PipelineSpec(parsing: K8sDPArtefacts.spec) }

  public static func seeds(root: String) throws -> [[UInt8]] {
    [try Seeds.read(root + "/k8s_dp/p4Info.txt")]
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let info = try? P4_Config_V1_P4Info(textFormatString: text) else { return false }
    return (try? P4Program(info: info, spec: spec)) != nil
  }
}
