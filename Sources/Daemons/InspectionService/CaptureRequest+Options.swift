import Core
import GRPCCore
import Hosting
import InspectionProtos

extension CaptureOptions {
  /// What stands for ``DropReason`` when an interface did not take a frame.
  static let refusedReason = "refused"

  /// - Throws: `INVALID_ARGUMENT` for a request that makes no sense.
  init(_ request: K8sdp_V1_CaptureRequest) throws(RPCError) {
    self.init()
    if !request.ports.isEmpty { ports = Set(request.ports) }
    guard request.lost || request.reasons.isEmpty else {
      throw RPCError(code: .invalidArgument, message: "reasons are for lost frames; set lost")
    }
    lostOnly = request.lost
    if !request.reasons.isEmpty {
      var wanted: Set<DropReason> = []
      for name in request.reasons where name != Self.refusedReason {
        guard let reason = DropReason.allCases.first(where: { $0.name == name }) else {
          throw RPCError(code: .invalidArgument, message: "\(name) is no reason to drop a frame")
        }
        wanted.insert(reason)
      }
      reasons = wanted
      refused = request.reasons.contains(Self.refusedReason)
    }
    if request.snapLength > 0 {
      snapLength = min(Int(request.snapLength), FrameBatch.longestFrame)
    }
    if request.count > 0 { count = request.count }
    if !request.filter.isEmpty {
      let filter = try FrameFilter(request.filter)
      self.filter = { filter.accepts($0) }
    }
  }
}
