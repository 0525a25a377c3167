import CForwarding
import Core
import Glibc
import Hosting

/// One port, on the thread that forwards.
final class Port {
  let id: PortID
  let description: PortDescription
  let descriptor: Int32
  private let index: Int32
  var counters = PortCounters()
  /// Drops by raw reason, named when they are asked for.
  var dropped = [UInt64](repeating: 0, count: 256)
  /// The interface is gone; its descriptor has nothing more to say.
  var isGone = false

  var isSocket: Bool { description.kind == .packet }

  init(id: PortID, description: PortDescription, descriptor: Int32, index: Int32) {
    self.id = id
    self.description = description
    self.descriptor = descriptor
    self.index = index
  }

  deinit { close(descriptor) }

  var status: PortStatus {
    var mac: [UInt8] = [0, 0, 0, 0, 0, 0]
    let isUp: Bool
    let result: Int32
    switch description.kind {
    case .tap:
      isUp = !isGone && cfwd_tap_is_up(descriptor) == 1
      result = cfwd_tap_mac(descriptor, &mac)
    case .packet:
      isUp = !isGone && cfwd_interface_is_up(description.name) == 1
      result = cfwd_interface_mac(description.name, &mac)
    }
    var counters = counters
    for (reason, count) in dropped.enumerated() where count > 0 {
      let name = DropReason(rawValue: UInt8(reason)) ?? .pipeline
      counters.dropped[name.name, default: 0] += count
    }
    let value = mac.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return PortStatus(
      id: id, description: description, interfaceIndex: index, isUp: isUp,
      macAddress: result == 0 ? MACAddress(value) : nil, counters: counters)
  }
}
