import Core
import Foundation
import Hosting
import InspectionProtos

/// What a capture saw as messages, none of them too long.
struct FrameMessages: Sequence, IteratorProtocol {
  /// Clients take messages of 4 MiB unless they are told otherwise.
  private static let longest = 1 << 19

  private let batch: CaptureBatch
  private let epoch: Epoch
  private var place = 0

  init(_ batch: CaptureBatch, _ epoch: Epoch) {
    self.batch = batch
    self.epoch = epoch
  }

  mutating func next() -> K8sdp_V1_CaptureResponse? {
    guard place < batch.frames.count else { return nil }
    var response = K8sdp_V1_CaptureResponse()
    response.missed = batch.missed
    var size = 0
    while place < batch.frames.count, size < Self.longest {
      let frame = batch.frames[place]
      response.frames.append(message(frame))
      size += frame.bytes.count + (frame.out?.count ?? 0)
      place += 1
    }
    return response
  }

  private func message(_ frame: CaptureBatch.Frame) -> K8sdp_V1_Frame {
    .with {
      $0.time = epoch.date(frame.time)
      $0.port = frame.port
      $0.data = Data(batch.bytes[frame.bytes])
      $0.length = UInt32(frame.length)
      switch frame.verdict {
      case .forward(let port): $0.forwarded = port
      case .drop(let reason): $0.dropped = reason.name
      }
      $0.refused = frame.isRefused
      if let out = frame.out {
        $0.out = Data(batch.bytes[out])
        $0.outLength = UInt32(frame.outLength)
      }
      $0.bypassed = !frame.enteredPipeline
    }
  }
}
