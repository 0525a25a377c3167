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
    do {
      let header = try ControllerHeader("packet_out", of: program.info).bytes(packet.metadata)
      try await packets.inject(header + packet.payload)
    } catch let error as P4Error {
      refuse(error.code, error.message)
    } catch let error as DataplaneError {
      refuse(P4Error(error).code, error.description)
    } catch {
      refuse(.internal, "\(error)")
    }
  }

  /// Hands frames of the controller's port to the primaries until the host ends.
  public func deliverPackets() async {
    guard let packets else { return }
    for await frame in packets.framesForController() {
      guard let program = active?.program,
        let (metadata, payload) = ControllerHeader("packet_in", of: program.info).split(frame)
      else { continue }
      let message = P4_V1_StreamMessageResponse.with {
        $0.packet = .with {
          $0.payload = Data(payload)
          $0.metadata = metadata
        }
      }
      for id in arbitration.primaries {
        _ = streams[id]?.send(message, isDroppable: true)
      }
    }
  }
}
