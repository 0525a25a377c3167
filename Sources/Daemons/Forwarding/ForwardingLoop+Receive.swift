import CForwarding
import Core

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ForwardingLoop {
  /// What is asked of a port at most: a byte more than any frame may have, so that one
  /// that was cut shows.
  private static let longestRead = UInt32(OffloadHeader.length + FrameBatch.longestFrame + 1)

  /// Fills the batch from the ports that have frames, each with an equal share of it,
  /// in one system call.
  func receive() {
    batch.removeAll()
    let share = max(1, Self.batchSize / ready.count)
    var asked = 0
    for port in ready {
      port.received = 0
      for _ in 0..<min(port.burst, share) {
        transfers[asked] = cfw_transfer()
        transfers[asked].bytes = batch.frame(asked) - OffloadHeader.length
        transfers[asked].length = Self.longestRead
        transfers[asked].fd = port.fd
        transfers[asked].is_socket = port.isSocket ? 1 : 0
        transferPorts[asked] = port.id
        asked += 1
      }
    }
    cfw_ring_run(ring, transfers, UInt32(asked))
    for place in 0..<asked {
      guard let port = portsByID[Int(transferPorts[place])] else { continue }
      take(place, from: port)
    }
    for port in ready {
      let asked = min(port.burst, share)
      port.burst = port.received == asked ? min(2 * asked, Self.batchSize) : max(1, port.received)
    }
  }

  /// Fills the batch with frames of the controller.
  func takeInjected() {
    batch.removeAll()
    let count = min(injected.count, Self.batchSize)
    for (frame, port) in injected.prefix(count) {
      offloads[batch.count] = .none
      let fits = frame.withUnsafeBytes { batch.append($0, port: port) }
      precondition(fits, "a frame of the controller is longer than was checked")
    }
    injected.removeFirst(count)
  }

  /// Makes a frame of the batch of what was read.
  private func take(_ place: Int, from port: LoopPort) {
    let result = transfers[place].result
    guard result > 0 else {
      if result < 0 { failed(-result, port) }
      return
    }
    port.received += 1
    var length = Int(result) - OffloadHeader.length
    guard length > 0 else {
      port.errorsIn &+= 1
      return
    }
    port.framesIn &+= 1
    port.bytesIn &+= UInt64(length)
    let frame = batch.frame(place)
    var header = OffloadHeader(frame - OffloadHeader.length)
    if transfers[place].has_tag != 0 {
      guard length >= EthernetHeader.length else {
        return drop(.truncated, frame, length, at: port)
      }
      insertTag(transfers[place], into: frame, length)
      length += VLANTag.length
      header.checksumStart &+= UInt16(VLANTag.length)
    }
    guard length <= FrameBatch.longestFrame else {
      return drop(.oversized, frame, length, at: port)
    }
    guard let offload = Offload(header, frame: frame, length: length) else {
      return drop(.badOffload, frame, length, at: port)
    }
    offloads[batch.count] = offload
    batch.take(place, length: length, port: port.id)
  }

  /// Puts the VLAN tag back that the kernel hands over beside the frame.
  private func insertTag(
    _ transfer: cfw_transfer, into frame: UnsafeMutableRawPointer, _ length: Int
  ) {
    let tag = frame + EthernetHeader.etherType
    memmove(tag + VLANTag.length, tag, length - EthernetHeader.etherType)
    tag.storeBytes(of: transfer.tag_type.bigEndian, as: UInt16.self)
    tag.storeBytes(of: transfer.tag.bigEndian, toByteOffset: 2, as: UInt16.self)
  }

  private func failed(_ errno: Int32, _ port: LoopPort) {
    switch errno {
    case EAGAIN: return
    case EINTR, ECANCELED, ENOMEM, ENOBUFS, ENETDOWN: port.errorsIn &+= 1
    default:
      port.errorsIn &+= 1
      ignore(port)
    }
  }
}
