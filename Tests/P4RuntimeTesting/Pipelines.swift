import Foundation
import P4RuntimeProtos
import PipelineProtos
import SwiftProtobuf

/// Pipelines to push.
public enum Pipelines {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The project's own, as it is checked in.
  public static func k8sDP() throws -> P4_V1_ForwardingPipelineConfig {
    try load(folder: root.appending(path: "k8s_dp"))
  }

  /// A `.pb.bin` with the `p4Info.txt` beside it.
  public static func load(bundle path: String) throws -> P4_V1_ForwardingPipelineConfig {
    let bundle = URL(filePath: path)
    return try load(folder: bundle.deletingLastPathComponent(), bundle: bundle.lastPathComponent)
  }

  private static func load(
    folder: URL, bundle: String = "k8s_dp.pb.bin"
  ) throws -> P4_V1_ForwardingPipelineConfig {
    let info = try String(contentsOf: folder.appending(path: "p4Info.txt"), encoding: .utf8)
    let bytes = try Data(contentsOf: folder.appending(path: bundle))
    return try .with {
      $0.p4Info = try P4_Config_V1_P4Info(textFormatString: info)
      $0.p4DeviceConfig = bytes
      $0.cookie = .with { $0.cookie = 0xC0FFEE }
    }
  }

  /// A config of a spec and a P4Info in text.
  public static func make(
    spec: String, info: String, cookie: UInt64? = nil
  ) throws -> P4_V1_ForwardingPipelineConfig {
    let bundle = Stratum_Hal_Tdi_BfPipelineConfig.with {
      $0.p4Name = "test"
      $0.profiles = [
        .with {
          $0.profileName = "pipe"
          $0.binary = Data(spec.utf8)
        }
      ]
    }
    return try .with {
      $0.p4Info = try P4_Config_V1_P4Info(textFormatString: info)
      $0.p4DeviceConfig = try bundle.serializedBytes()
      if let cookie { $0.cookie = .with { $0.cookie = cookie } }
    }
  }
}
