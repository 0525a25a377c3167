import CForwarding
import Core

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ForwardingLoop {
  /// Writes the frames that the dataplane forwarded in one system call, and counts
  /// the others.
  func send() {
    var count = 0
    for i in 0..<batch.count {
      let verdict = batch.verdicts[i]
      let reason: UInt8
      if verdict & FrameBatch.dropBit != 0 {
        reason = UInt8(truncatingIfNeeded: verdict)
      } else if let controller, verdict == controller.id {
        deliver(i, to: controller)
        continue
      } else if verdict >= portsByID.count || portsByID[Int(verdict)] == nil {
        reason = DropReason.badPort.rawValue
      } else if prepare(i, for: verdict, at: count) {
        count += 1
        continue
      } else {
        reason = DropReason.badOffload.rawValue
      }
      batch.verdicts[i] = FrameBatch.dropBit | UInt32(reason)
      portsByID[Int(batch.ports[i])]?.drop(reason)
    }
    guard count > 0 else { return }
    cfw_ring_run(ring, transfers, UInt32(count))
    for i in 0..<count {
      guard let port = portsByID[Int(transferPorts[i])] else { continue }
      note(transfers[i], port)
    }
  }

  /// Gives a frame to the controller, whole: nobody behind it finishes a checksum.
  private func deliver(_ i: Int, to controller: ControllerPort) {
    offloads[i].finishChecksum(of: batch.frame(i), length: Int(batch.lengths[i]))
    controller.deliver([UInt8](batch.bytes(i)))
  }

  /// - Returns: false when what the kernel left undone cannot be done any more.
  private func prepare(_ i: Int, for port: PortID, at place: Int) -> Bool {
    let frame = batch.frame(i)
    let length = Int(batch.lengths[i])
    guard let header = offloads[i].header(for: frame, length: length),
      let port = portsByID[Int(port)]
    else { return false }
    let start = frame - OffloadHeader.length
    header.store(to: start)
    transfers[place] = cfw_transfer()
    transfers[place].bytes = start
    transfers[place].length = UInt32(OffloadHeader.length + length)
    transfers[place].fd = port.fd
    transfers[place].is_write = 1
    transferPorts[place] = port.id
    return true
  }

  private func note(_ transfer: cfw_transfer, _ port: LoopPort) {
    guard transfer.result < 0 else {
      port.framesOut &+= 1
      port.bytesOut &+= UInt64(transfer.length) - UInt64(OffloadHeader.length)
      return
    }
    switch -transfer.result {
    // EIO is a TAP that is down, EBADFD one that is gone.
    case EAGAIN, ENOBUFS, ENETDOWN, EIO, ENXIO, EBADFD: port.refused &+= 1
    default: port.errorsOut &+= 1
    }
  }
}
