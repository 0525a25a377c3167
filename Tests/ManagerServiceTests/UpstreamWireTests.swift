import Foundation
import GRPCCore
import InfraProtos
import SwiftProtobuf
import Testing

/// Every message of `infra`, `cni` and `felix` as upstream's programs of v23.01 send it: their
/// protos' bytes with every field set, each member of a oneof once, encoded by Google's
/// protobuf, and the JSON that it makes of them.
@Suite struct UpstreamWireTests {
  private static let lines: [[String]] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("upstream-wire.txt")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map { line in
      line.split(separator: " ", maxSplits: 2).map(String.init)
    }
  }()

  private static let types: [any Message.Type] = [
    Cni_AddRequest.self, Cni_ContainerSettings.self, Cni_IPConfig.self, Cni_WorkloadIDs.self,
    Cni_Port.self, Cni_AddReply.self, Cni_DelRequest.self, Cni_DelReply.self,
    Felix_ToDataplane.self, Felix_FromDataplane.self, Felix_SyncRequest.self, Felix_InSync.self,
    Felix_ConfigUpdate.self, Felix_IPSetUpdate.self, Felix_IPSetDeltaUpdate.self,
    Felix_IPSetRemove.self, Felix_ActiveProfileUpdate.self, Felix_ActiveProfileRemove.self,
    Felix_ProfileID.self, Felix_Profile.self, Felix_ActivePolicyUpdate.self,
    Felix_ActivePolicyRemove.self, Felix_PolicyID.self, Felix_Policy.self, Felix_Rule.self,
    Felix_ServiceAccountMatch.self, Felix_HTTPMatch.self, Felix_RuleMetadata.self,
    Felix_IcmpTypeAndCode.self, Felix_Protocol.self, Felix_PortRange.self,
    Felix_WorkloadEndpointID.self, Felix_WorkloadEndpointUpdate.self,
    Felix_WorkloadEndpointRemove.self, Felix_WorkloadEndpoint.self, Felix_HostEndpointID.self,
    Felix_HostEndpointUpdate.self, Felix_HostEndpointRemove.self, Felix_HostEndpoint.self,
    Felix_TierInfo.self, Felix_NatInfo.self, Felix_ProcessStatusUpdate.self,
    Felix_EndpointStatus.self, Felix_HostEndpointStatusUpdate.self,
    Felix_HostEndpointStatusRemove.self, Felix_WorkloadEndpointStatusUpdate.self,
    Felix_WorkloadEndpointStatusRemove.self, Felix_WireguardStatusUpdate.self,
    Felix_HostMetadataUpdate.self, Felix_HostMetadataRemove.self, Felix_IPAMPoolUpdate.self,
    Felix_IPAMPoolRemove.self, Felix_IPAMPool.self, Felix_ServiceAccountUpdate.self,
    Felix_ServiceAccountRemove.self, Felix_ServiceAccountID.self, Felix_NamespaceUpdate.self,
    Felix_NamespaceRemove.self, Felix_NamespaceID.self, Felix_TunnelType.self,
    Felix_RouteUpdate.self, Felix_RouteRemove.self, Felix_VXLANTunnelEndpointUpdate.self,
    Felix_VXLANTunnelEndpointRemove.self, Felix_WireguardEndpointUpdate.self,
    Felix_WireguardEndpointRemove.self, Felix_GlobalBGPConfigUpdate.self, Infra_NatEndpoint.self,
    Infra_NatEndpointTuple.self, Infra_NatTranslation.self, Infra_Reply.self,
    Infra_SetSnatAddressRequest.self, Infra_AddDelSnatPrefixRequest.self,
    Infra_CreateNetworkRequest.self, Infra_DeleteNetworkRequest.self,
    Infra_SetupHostInterfaceRequest.self,
  ]

  private static let names = types.map { $0.protoMessageName }

  @Test(arguments: names) func isTheSame(_ name: String) throws {
    let type = try #require(Self.types.first { $0.protoMessageName == name })
    let lines = Self.lines.filter { $0[0] == name }
    #expect(!lines.isEmpty)
    for line in lines {
      let bytes = try #require(Self.bytes(line[1]))
      let message = try type.init(serializedBytes: bytes)
      // What upstream's JSON names has to be a field of ours, not one that was merely kept.
      #expect(try Self.object(message.jsonUTF8Data()) == Self.object(Data(line[2].utf8)))
      #expect(try message.serializedBytes() == bytes)
    }
  }

  @Test func methodsHaveTheirNames() {
    let ours = Cni_CniDataplane.Method.descriptors + Infra_InfraAgent.Method.descriptors
    let upstream = Self.lines.filter { $0[0] == "rpc" }.map { $0[1] }
    // Felix speaks through a socket of its own, without gRPC.
    #expect(
      Set(ours.map(\.fullyQualifiedMethod))
        == Set(upstream.filter { !$0.hasPrefix("felix.") }))
  }

  private static func bytes(_ hex: String) -> [UInt8]? {
    guard hex != "-" else { return [] }
    let digits = hex.compactMap(\.hexDigitValue)
    guard digits.count == hex.count, digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  private static func object(_ json: Data) throws -> NSDictionary? {
    try JSONSerialization.jsonObject(with: json) as? NSDictionary
  }
}
