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
    /// Frames for us that a TAP's queue had no room for; of a packet socket its own are counted.
    var lost: UInt64
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

  /// Where a TAP is; nil when it is gone, and for a packet socket.
  func location() -> InterfaceLocation? {
    guard !isSocket, let namespace = namespace() else { return nil }
    return location(in: namespace)
  }

  private func namespace() -> FileDescriptor? {
    let number = cfw_tap_namespace(descriptor.number)
    return number < 0 ? nil : FileDescriptor(number)
  }

  private func location(in namespace: FileDescriptor) -> InterfaceLocation? {
    var bytes = [CChar](repeating: 0, count: 17)
    guard cfw_tap_name(descriptor.number, &bytes) == 0 else { return nil }
    let name = bytes.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return InterfaceLocation(name: name, namespace: cfw_namespace_inode(namespace.number))
  }

  /// How interfaces are, nil for one that is gone. One thread looks at all: it enters their
  /// namespaces one after the other, and ends.
  static func states(of interfaces: [KernelInterface]) -> [State?] {
    var states: [State?] = []
    NetworkNamespace.onThread { enter in
      states = interfaces.map { $0.state(enter) }
    }
    return states
  }

  /// - Parameter enter: takes this thread into a namespace, nil being the process's own.
  private func state(_ enter: (FileDescriptor?) -> Bool) -> State? {
    let namespace = isSocket ? nil : namespace()
    let location =
      isSocket
      ? InterfaceLocation(name: name, namespace: cfw_namespace_inode(-1))
      : namespace.flatMap(location)
    var found = cfw_interface()
    guard let location, enter(namespace), cfw_interface_get(location.name, &found) == 0 else {
      return nil
    }
    let running = UInt32(IFF_UP | IFF_RUNNING)
    let mac = withUnsafeBytes(of: found.mac) { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    return State(
      index: found.index, isRunning: found.flags & running == running,
      macAddress: MACAddress(mac), location: location, lost: isSocket ? 0 : found.lost)
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
    if let location = port.location { return (try takeOver(port, at: location), false) }
    let namespace = try port.place.flatMap { (place) throws(DataplaneError) in
      try NetworkNamespace.open(place.netns, for: port.name)
    }
    return try makeTAP(port, as: port.place?.name ?? port.name, in: namespace)
  }

  /// An interface that was moved or made elsewhere belongs to its pod, and stays as it is.
  private static func takeOver(
    _ port: PortDescription, at location: InterfaceLocation
  ) throws(DataplaneError) -> FileDescriptor {
    let name = location.name
    let namespace = try NetworkNamespace.find(location.namespace, for: port.name)
    var found = cfw_interface()
    guard NetworkNamespace.call(namespace, { cfw_interface_get(name, &found) }) == 0 else {
      throw DataplaneError(.notFound, "port \(port.name)", "\(name) is no longer where it was")
    }
    let result = NetworkNamespace.call(namespace) { cfw_tap_open(name) }
    guard result >= 0 else { throw refusal(-result, port, name, isThere: true) }
    return FileDescriptor(result)
  }

  /// - Parameter namespace: nil is the process's own, where one that is there is taken.
  private static func makeTAP(
    _ port: PortDescription, as name: String, in namespace: FileDescriptor?
  ) throws(DataplaneError) -> (FileDescriptor, isNew: Bool) {
    var isThere = false
    var wrong: String?
    let result = NetworkNamespace.call(namespace) {
      var found = cfw_interface()
      isThere = cfw_interface_get(name, &found) == 0
      // In a pod it is somebody else's.
      guard !isThere || namespace == nil else { return -EBUSY }
      let number = cfw_tap_open(name)
      guard number >= 0 else { return number }
      let status = configure(port, name, &wrong)
      guard status < 0 else { return number }
      if !isThere { cfw_tap_delete(number) }
      close(number)
      return status
    }
    guard result < 0 else { return (FileDescriptor(result), !isThere) }
    if let wrong {
      throw DataplaneError(
        .invalidArgument, "port \(port.name)", "\(wrong): \(KernelError(errno: -result))")
    }
    throw refusal(-result, port, name, isThere: isThere)
  }

  /// - Parameter wrong: set to what the kernel does not take.
  private static func configure(
    _ port: PortDescription, _ name: String, _ wrong: inout String?
  ) -> Int32 {
    var status = cfw_interface_set_mtu(name, Int32(port.mtu))
    if status < 0 { wrong = "MTU \(port.mtu)" }
    guard status == 0, let mac = port.macAddress else { return status }
    let bytes = stride(from: UInt64(40), through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: mac.value >> $0)
    }
    status = cfw_interface_set_mac(name, bytes)
    if status < 0 { wrong = "MAC address \(mac)" }
    return status
  }

  private static func refusal(
    _ errno: Int32, _ port: PortDescription, _ name: String, isThere: Bool
  ) -> DataplaneError {
    let entity = "port \(port.name)"
    switch errno {
    case EINVAL where isThere:
      return DataplaneError(.alreadyExists, entity, "\(name) is an interface of another kind")
    case EBUSY where isThere && port.place != nil:
      return DataplaneError(
        .alreadyExists, entity, "\(name) is in \(port.place?.netns ?? "") already")
    case EBUSY:
      return DataplaneError(
        .alreadyExists, entity, "another process has the TAP \(name) open")
    default:
      return DataplaneError(.unavailable, entity, "/dev/net/tun: \(KernelError(errno: errno))")
    }
  }
}
