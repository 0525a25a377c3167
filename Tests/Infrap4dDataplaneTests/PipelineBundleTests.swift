import Core
import Foundation
import Infrap4dDataplane
import P4RuntimeProtos
import P4RuntimeTesting
import PipelineProtos
import Testing

struct PipelineBundleTests {
  /// What is inside the program is what is checked in: all that any host needs.
  @Test func k8sDPIsWhole() throws {
    let (built, file) = (PipelineBundle.k8sDP(), try Pipelines.k8sDP())
    #expect(
      try Stratum_Hal_Tdi_BfPipelineConfig(serializedBytes: built.p4DeviceConfig)
        == Stratum_Hal_Tdi_BfPipelineConfig(serializedBytes: file.p4DeviceConfig))
    #expect(built.p4Info == file.p4Info)
  }

  /// Other timers are another pipeline, and the same in all else.
  @Test func timersAreInTheSpec() throws {
    let (usual, changed) = (PipelineBundle.k8sDP(), PipelineBundle.k8sDP(timers: [.udpStream: 77]))
    #expect(usual.cookie != changed.cookie)
    var parts = try [usual, changed].map {
      try Stratum_Hal_Tdi_BfPipelineConfig(serializedBytes: $0.p4DeviceConfig)
    }
    #expect(parts[1].profiles[0].binary.split(separator: 10).contains(Data("\t\t77".utf8)))
    for i in parts.indices { parts[i].profiles[0].binary = Data() }
    #expect(parts[0] == parts[1])
  }
}
