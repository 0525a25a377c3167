import Foundation
import K8sDPArtefacts
import P4RuntimeCodec
import P4RuntimeProtos
import SwiftProtobuf

/// The pipeline that a controller pushes: P4Info and bundle in one message.
public struct PipelineConfigParser: OutsideParser {
  public static let name = "pipeline-config"
  public init() {}

  public static func seeds(root: String) throws -> [[UInt8]] {
    let bundle = Data(try Seeds.read(root + "/k8s_dp/k8s_dp.pb.bin"))
    let info = try P4_Config_V1_P4Info(textFormatString: K8sDPArtefacts.p4Info)
    let config = P4_V1_ForwardingPipelineConfig.with {
      $0.p4Info = info
      $0.p4DeviceConfig = bundle
    }
    return [try config.serializedBytes()]
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    guard let config = try? P4_V1_ForwardingPipelineConfig(serializedBytes: bytes) else {
      return false
    }
    return (try? PipelineConfig(config)) != nil
  }
}
