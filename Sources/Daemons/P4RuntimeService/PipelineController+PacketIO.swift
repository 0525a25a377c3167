import Core
import Foundation
import P4RuntimeCodec
import P4RuntimeProtos

extension PipelineController {
  func packetOut(_ packet: P4_V1_PacketOut, on stream: ControllerStream) async {
    func refuse(_ code: P4Error.Code, _ message: String) {
      report(code, message, on: stream) { $0.packetOut = .with { $0.packetOut = packet } }
    }
    guard arbitration.isPrimary(stream.id) else {
      return refuse(.permissionDenied, "only the primary controller may send packets")
    }
    guard let program = active?.program else {
      return refuse(.failedPrecondition, "no pipeline is loaded")
    }
    guard let packets else {
      return refuse(.unimplemented, "no port is given to the controller; see --cpu-port")
    }
    let header = program.info.controllerPacketMetadata.first { $0.preamble.name == "packet_out" }
    if let problem = Self.problem(packet.metadata, header) {
      return refuse(.invalidArgument, problem)
    }
    do {
      try await packets.inject([UInt8](packet.payload))
    } catch let error as DataplaneError {
      refuse(P4Error(error).code, error.description)
    } catch {
      refuse(.internal, "\(error)")
    }
  }

  /// What is wrong with a packet's metadata, by P4Info.
  private static func problem(
    _ metadata: [P4_V1_PacketMetadata], _ header: P4_Config_V1_ControllerPacketMetadata?
  ) -> String? {
    let fields = header?.metadata ?? []
    var seen: Set<UInt32> = []
    for item in metadata {
      guard let field = fields.first(where: { $0.id == item.metadataID }) else {
        return "P4Info has no packet_out metadata \(item.metadataID)"
      }
      guard seen.insert(item.metadataID).inserted else {
        return "metadata \(item.metadataID) is given twice"
      }
      if Bytestring.value(item.value, bits: Int(field.bitwidth)) == nil {
        return "metadata \(field.name) does not fit into \(field.bitwidth) bits"
      }
    }
    guard seen.count == fields.count else { return "metadata is missing: \(fields.count) fields" }
    return nil
  }

  /// Hands frames of the controller's port to the primaries until the host ends.
  public func deliverPackets() async {
    guard let packets else { return }
    for await frame in packets.framesForController() {
      let message = P4_V1_StreamMessageResponse.with {
        $0.packet = .with { $0.payload = Data(frame) }
      }
      for id in arbitration.primaries {
        _ = streams[id]?.send(message, isDroppable: true)
      }
    }
  }
}
