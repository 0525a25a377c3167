import CForwarding
import Core
import Hosting

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The network interface of a port, and the file descriptor that frames go through.
struct KernelInterface: Sendable {
  /// How an interface is now.
  struct State {
    var index: Int32
    var isRunning: Bool
    var macAddress: MACAddress
    var location: InterfaceLocation
  }

  let descriptor: FileDescriptor
  /// A packet socket, not a TAP.
  let isSocket: Bool
  /// Whether it was made here and now.
  let isNew: Bool
  private let name: String

  /// Opens it, making a TAP that is not there.
  init(_ port: PortDescription) throws(DataplaneError) {
    name = port.name
    isSocket = port.kind == .packet
    switch port.kind {
    case .packet:
      (descriptor, isNew) = (try Self.openSocket(port), false)
    case .tap:
      (descriptor, isNew) = try Self.openTAP(port)
    }
  }

  /// Deletes a TAP, wherever it is, and closes the file descriptor.
  func delete() {
    // Fails only for an interface that is gone already.
    if !isSocket { cfw_tap_delete(descriptor.number) }
    descriptor.closeNow()
  }

  /// nil when the interface is gone.
  func state() -> State? {
    guard !isSocket else { return Self.state(of: name, in: nil) }
    var bytes = [CChar](repeating: 0, count: 17)
    let space = cfw_tap_namespace(descriptor.number)
    guard space >= 0 else { return nil }
    let namespace = FileDescriptor(space)
    guard cfw_tap_name(descriptor.number, &bytes) == 0 else { return nil }
    let name = bytes.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return Self.state(of: name, in: namespace)
  }

  private static func state(of name: String, in namespace: FileDescriptor?) -> State? {
    var found = cfw_interface()
    let inode = cfw_namespace_inode(namespace?.number ?? -1)
    // Another namespace takes a thread of its own.
    let elsewhere = inode == cfw_namespace_inode(-1) ? nil : namespace
    guard NetworkNamespace.call(elsewhere, { cfw_interface_get(name, &found) }) == 0 else {
      return nil
    }
    let running = UInt32(IFF_UP | IFF_RUNNING)
    let mac = withUnsafeBytes(of: found.mac) { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    return State(
      index: found.index, isRunning: found.flags & running == running,
      macAddress: MACAddress(mac),
      location: InterfaceLocation(
        name: name, namespace: inode))
  }

  private static func openSocket(_ port: PortDescription) throws(DataplaneError) -> FileDescriptor {
    var found = cfw_interface()
    guard cfw_interface_get(port.name, &found) == 0 else {
      throw DataplaneError(
        .notFound, "port \(port.name)", "there is no interface of this name in the namespace")
    }
    do {
      return FileDescriptor(try KernelError.check(cfw_packet_open(found.index)))
    } catch {
      throw DataplaneError(.unavailable, "port \(port.name)", "packet socket: \(error)")
    }
  }

  private static func openTAP(
    _ port: PortDescription
  ) throws(DataplaneError) -> (FileDescriptor, isNew: Bool) {
    let name = port.location?.name ?? port.name
    let namespace = try port.location.flatMap { (location) throws(DataplaneError) in
      try NetworkNamespace.find(location.namespace, for: port.name)
    }
    var found = cfw_interface()
    let isThere = NetworkNamespace.call(namespace, { cfw_interface_get(name, &found) }) == 0
    guard isThere || port.location == nil else {
      throw DataplaneError(.notFound, "port \(port.name)", "\(name) is no longer where it was")
    }
    let result = NetworkNamespace.call(namespace) { cfw_tap_open(name) }
    switch -result {
    case ..<1: break
    case EINVAL where isThere:
      throw DataplaneError(
        .alreadyExists, "port \(port.name)", "\(name) is an interface of another kind")
    case EBUSY:
      throw DataplaneError(
        .alreadyExists, "port \(port.name)", "another process has the TAP \(name) open")
    default:
      throw DataplaneError(
        .unavailable, "port \(port.name)", "/dev/net/tun: \(KernelError(errno: -result))")
    }
    let descriptor = FileDescriptor(result)
    // An interface that was moved belongs to its pod.
    guard namespace == nil else { return (descriptor, false) }
    let status = cfw_interface_set_mtu(name, Int32(port.mtu))
    guard status == 0 else {
      if !isThere { cfw_tap_delete(descriptor.number) }
      throw DataplaneError(
        .invalidArgument, "port \(port.name)",
        "MTU \(port.mtu): \(KernelError(errno: -status))")
    }
    return (descriptor, !isThere)
  }
}
