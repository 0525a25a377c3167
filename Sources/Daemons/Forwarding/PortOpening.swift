import CForwarding
import Core
import Foundation
import Hosting

/// Makes the interface of a port, or finds the one that an earlier process left.
enum PortOpening {
  /// The text that marks a TAP as a port of ours, wherever it is moved.
  static func alias(_ name: String) -> String { "infrap4d:\(name)" }

  /// - Returns: a descriptor and the interface's index.
  static func open(_ port: PortDescription) throws(DataplaneError) -> (Int32, Int32) {
    switch port.kind {
    case .tap: (try openTAP(port), 0)
    case .packet: try openPacket(port)
    }
  }

  static func check(_ port: PortDescription) throws(DataplaneError) {
    let name = port.name
    guard (1...15).contains(name.utf8.count), name != ".", name != "..",
      !name.contains(where: { $0 == "/" || $0 == ":" || $0.isWhitespace || !$0.isASCII })
    else {
      throw DataplaneError(
        .invalidArgument, "port \(name)",
        "an interface name has 1 to 15 ASCII characters without white space, / and :")
    }
    guard (68...65_535).contains(port.mtu) else {
      throw DataplaneError(.invalidArgument, "port \(name)", "the MTU is 68 to 65535")
    }
  }

  private static func openPacket(
    _ port: PortDescription
  ) throws(DataplaneError) -> (Int32, Int32) {
    var index: Int32 = 0
    let socket = cfwd_packet_open(port.name, &index)
    guard socket >= 0 else {
      throw refusal(port, socket, "there is no such interface in this network namespace")
    }
    return (socket, index)
  }

  private static func openTAP(_ port: PortDescription) throws(DataplaneError) -> Int32 {
    if let tap = try findTAP(port) { return tap }
    let tap = cfwd_tap_open(port.name)
    guard tap >= 0 else { throw refusal(port, tap, "the kernel has no /dev/net/tun") }
    var status = cfwd_set_alias(port.name, alias(port.name))
    if status == 0 { status = cfwd_set_mtu(port.name, Int32(port.mtu)) }
    guard status == 0 else {
      _ = cfwd_tap_release(tap)
      Glibc.close(tap)
      throw refusal(port, status, "the interface vanished")
    }
    return tap
  }

  /// The TAP that an earlier process made for this port, in whatever namespace and
  /// under whatever name it is now.
  private static func findTAP(_ port: PortDescription) throws(DataplaneError) -> Int32? {
    for namespace in namespaces() {
      let found = inNamespace(namespace) { () -> Int32 in
        var name = [CChar](repeating: 0, count: 16)
        guard cfwd_find_alias(alias(port.name), &name) == 1 else { return 0 }
        return cfwd_tap_open(name)
      }
      if found > 0 { return found }
      if found == -EBUSY {
        throw DataplaneError(
          .alreadyExists, "port \(port.name)", "another process holds its TAP; stop that one")
      }
    }
    return nil
  }

  /// Files of all network namespaces that this process can see, each once: its own,
  /// named ones, those of processes.
  private static func namespaces() -> [String] {
    let files = FileManager.default
    var paths = ["/proc/self/ns/net"]
    paths += ((try? files.contentsOfDirectory(atPath: "/run/netns")) ?? []).sorted()
      .map { "/run/netns/" + $0 }
    paths += ((try? files.contentsOfDirectory(atPath: "/proc")) ?? [])
      .filter { $0.allSatisfy(\.isNumber) }.map { "/proc/\($0)/ns/net" }
    var seen: Set<ino_t> = []
    return paths.filter { path in
      var status = stat()
      return stat(path, &status) == 0 && seen.insert(status.st_ino).inserted
    }
  }

  /// Runs `body` on a thread of its own in a network namespace.
  private static func inNamespace(_ path: String, _ body: @escaping @Sendable () -> Int32) -> Int32
  {
    let result = ThreadResult()
    let thread = Thread {
      result.set(cfwd_enter_namespace(path) == 0 ? body() : 0)
    }
    thread.start()
    return result.wait()
  }

  static func refusal(
    _ port: PortDescription, _ status: Int32, _ absent: String
  ) -> DataplaneError {
    let entity = "port \(port.name)"
    switch -status {
    case ENODEV, ENOENT, ENXIO: return DataplaneError(.notFound, entity, absent)
    case EPERM, EACCES:
      return DataplaneError(
        .unavailable, entity, "not permitted; run with CAP_NET_ADMIN and CAP_NET_RAW")
    case EBUSY:
      return DataplaneError(
        .alreadyExists, entity, "an interface of this name is in use by another program")
    case EINVAL:
      return DataplaneError(
        .alreadyExists, entity, "an interface of this name is there, and is no TAP of ours")
    default:
      return DataplaneError(
        .unavailable, entity, "the kernel refuses: \(String(cString: strerror(-status)))")
    }
  }
}

/// A number that a thread leaves behind.
private final class ThreadResult: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var value: Int32 = 0

  func set(_ value: Int32) {
    self.value = value
    done.signal()
  }

  func wait() -> Int32 {
    done.wait()
    return value
  }
}
