import Core
import Foundation
import P4RuntimeProtos
import PipelineProtos

/// A pushed pipeline: as it came, and as it is understood.
public struct PipelineConfig: Sendable {
  public let message: P4_V1_ForwardingPipelineConfig
  public let program: P4Program

  /// - Throws: ``P4Error/Code/invalidArgument`` saying what is wrong with it.
  public init(_ message: P4_V1_ForwardingPipelineConfig) throws(P4Error) {
    self.message = message
    guard message.hasP4Info else { throw P4Error(.invalidArgument, "the config has no P4Info") }
    let bundle: Stratum_Hal_Tdi_BfPipelineConfig
    do {
      bundle = try Stratum_Hal_Tdi_BfPipelineConfig(serializedBytes: message.p4DeviceConfig)
    } catch {
      throw P4Error(
        .invalidArgument, "p4_device_config is no pipeline: give it the bytes of a .pb.bin")
    }
    guard let profile = bundle.profiles.first, !profile.binary.isEmpty else {
      throw P4Error(.invalidArgument, "p4_device_config has no spec in it")
    }
    do throws(DataplaneError) {
      let name = bundle.p4Name.isEmpty ? "pipeline" : bundle.p4Name
      let spec = try PipelineSpec(
        parsing: String(decoding: profile.binary, as: UTF8.self), file: "\(name).spec")
      program = try Self.bind(message.p4Info, spec)
    } catch {
      throw P4Error(.invalidArgument, error.description)
    }
  }

  private static func bind(
    _ info: P4_Config_V1_P4Info, _ spec: PipelineSpec
  ) throws(DataplaneError) -> P4Program {
    do throws(P4Error) { return try P4Program(info: info, spec: spec) } catch {
      throw DataplaneError(.invalidArgument, "P4Info", error.message)
    }
  }
}
