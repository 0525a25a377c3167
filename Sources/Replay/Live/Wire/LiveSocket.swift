import CLiveWire
import Core

#if canImport(Glibc)
  import Glibc
#endif

/// The kernel's side of the network interfaces of this namespace.
final class LiveSocket {
  /// What any interface may receive at most: an IP packet of 65,535 bytes with its
  /// Ethernet header and tags.
  private static let longest = 65_535 + 14 + 2 * VLANTag.length

  private let descriptor: Int32
  private var buffer = [UInt8](repeating: 0, count: longest + VLANTag.length)

  /// - Throws: ``DataplaneError/Code/unavailable`` without CAP_NET_RAW and CAP_NET_ADMIN.
  init() throws(DataplaneError) {
    descriptor = try Self.check(clw_open(), "packet socket")
  }

  deinit { _ = close(descriptor) }

  func send(_ frame: [UInt8], to interface: Int32) throws(DataplaneError) {
    _ = try Self.check(
      clw_send(descriptor, interface, frame, UInt32(frame.count)), "interface \(interface)")
  }

  /// The next frame that an interface received, and the interface's index.
  ///
  /// - Parameter milliseconds: to wait for one; nil when none came.
  func receive(milliseconds: Int32) throws(DataplaneError) -> (frame: [UInt8], interface: Int32)? {
    var interface: Int32 = 0
    let length = try Self.check(
      clw_receive(descriptor, milliseconds, &buffer, UInt32(buffer.count), &interface),
      "packet socket")
    return length == 0 ? nil : (Array(buffer[..<Int(length)]), interface)
  }

  /// Brings an interface up on which the kernel itself says nothing.
  static func bringUp(_ name: String) throws(DataplaneError) {
    _ = try check(clw_bring_up(name), "interface \(name)")
  }

  /// The index of an interface of this namespace, or nil.
  static func index(of name: String) -> Int32? {
    let index = clw_index(name)
    return index > 0 ? index : nil
  }

  private static func check(_ result: Int32, _ entity: String) throws(DataplaneError) -> Int32 {
    guard result < 0 else { return result }
    throw DataplaneError(.unavailable, entity, String(cString: strerror(-result)))
  }
}
