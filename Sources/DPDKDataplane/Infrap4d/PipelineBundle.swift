import Core
import Crypto
import Foundation
import K8sDPArtefacts
import P4RuntimeCodec
import P4RuntimeProtos
import PipelineProtos
import SwiftProtobuf

/// Pipelines to push.
public enum PipelineBundle {
  public typealias Config = P4_V1_ForwardingPipelineConfig

  /// The `k8s_dp` of this version, with all that upstream's `infrap4d` wants besides the
  /// spec.
  ///
  /// - Parameter timers: seconds where they differ from ``K8sDP/Timer/defaultSeconds``, 1 to
  ///   ``K8sDP/Timer/longest``.
  public static func k8sDP(
    timers: [K8sDP.Timer: UInt32] = [:]
  ) -> P4_V1_ForwardingPipelineConfig {
    let bundle = Stratum_Hal_Tdi_BfPipelineConfig.with {
      $0.p4Name = "k8s_dp"
      $0.bfruntimeInfo = Data(K8sDPArtefacts.tdi)
      $0.profiles = [
        .with {
          $0.profileName = "pipe"
          $0.context = Data(K8sDPArtefacts.context)
          $0.binary = Data(spec(timers).utf8)
          $0.pipeScope = [0, 1, 2, 3]
        }
      ]
    }
    guard let info = try? P4_Config_V1_P4Info(textFormatString: K8sDPArtefacts.p4Info),
      let bytes: Data = try? bundle.serializedBytes()
    else { fatalError("the checked-in P4Info is not P4Info") }
    return config(info, bytes)
  }

  /// The checked-in spec, whose learners have these timers: P4Runtime has no other way to set
  /// them. There is one number a line between `timeout {` and `}`.
  private static func spec(_ timers: [K8sDP.Timer: UInt32]) -> String {
    guard !timers.isEmpty else { return K8sDPArtefacts.spec }
    var profile: Int?
    let lines = K8sDPArtefacts.spec.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.map { line -> String in
      let words = line.split { $0 == "\t" || $0 == " " }
      if words == ["timeout", "{"] {
        profile = 0
      } else if words == ["}"] {
        profile = nil
      } else if let number = profile, words.count == 1 {
        profile = number + 1
        let timer = UInt8(exactly: number).flatMap(K8sDP.Timer.init(rawValue:))
        if let seconds = timer.flatMap({ timers[$0] }) { return "\t\t\(seconds)" }
      }
      return String(line)
    }.joined(separator: "\n")
  }

  /// A `.pb.bin` and its P4Info in text format.
  ///
  /// - Throws: ``DataplaneError/Code/invalidArgument`` naming the file.
  public static func load(
    bundle: String, p4Info: String
  ) throws(DataplaneError) -> P4_V1_ForwardingPipelineConfig {
    func failed(_ file: String, _ error: any Error) -> DataplaneError {
      DataplaneError(.invalidArgument, file, "\(error)")
    }
    let bytes: Data
    do { bytes = try Data(contentsOf: URL(fileURLWithPath: bundle)) } catch {
      throw failed(bundle, error)
    }
    do {
      let text = try String(contentsOf: URL(fileURLWithPath: p4Info), encoding: .utf8)
      return config(try P4_Config_V1_P4Info(textFormatString: text), bytes)
    } catch {
      throw failed(p4Info, error)
    }
  }

  /// The cookie tells two pipelines apart without reading them back.
  private static func config(
    _ info: P4_Config_V1_P4Info, _ bytes: Data
  ) -> P4_V1_ForwardingPipelineConfig {
    var hash = SHA256()
    hash.update(data: Data(info.textFormatString().utf8))
    hash.update(data: bytes)
    let cookie = hash.finalize().prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return .with {
      $0.p4Info = info
      $0.p4DeviceConfig = bytes
      $0.cookie = .with { $0.cookie = cookie }
    }
  }
}
