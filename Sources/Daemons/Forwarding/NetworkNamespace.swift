import CForwarding
import Core
import Foundation
import Synchronization

/// Network namespaces of other processes.
enum NetworkNamespace {
  /// Where namespaces have names: those of `ip netns`, and those of processes.
  private static var candidates: [String] {
    let files = FileManager.default
    let named = (try? files.contentsOfDirectory(atPath: "/run/netns")) ?? []
    let processes = (try? files.contentsOfDirectory(atPath: "/proc")) ?? []
    return named.map { "/run/netns/\($0)" }
      + processes.filter { Int($0) != nil }.map { "/proc/\($0)/ns/net" }
  }

  /// By inode number, those that were opened by ``hold()``.
  private static let held = Mutex<[UInt64: FileDescriptor]>([:])

  /// Opens all namespaces there are. To open that of another user's process takes
  /// CAP_SYS_PTRACE, which may be gone when it is looked for.
  static func hold() {
    held.withLock { held in
      for path in candidates {
        let fd = cfw_namespace_open(path)
        guard fd >= 0 else { continue }
        let namespace = FileDescriptor(fd)
        held[cfw_namespace_inode(fd)] = namespace
      }
    }
  }

  /// Closes them, so that they can go.
  static func release() { held.withLock { $0 = [:] } }

  /// Opens the namespace with this inode number; nil is the process's own.
  ///
  /// - Throws: ``DataplaneError/Code/notFound``.
  static func find(_ inode: UInt64, for port: String) throws(DataplaneError) -> FileDescriptor? {
    if cfw_namespace_inode(-1) == inode { return nil }
    if let namespace = held.withLock({ $0[inode] }) { return namespace }
    for path in candidates {
      let fd = cfw_namespace_open(path)
      guard fd >= 0 else { continue }
      let namespace = FileDescriptor(fd)
      if cfw_namespace_inode(fd) == inode { return namespace }
    }
    throw DataplaneError(.notFound, "port \(port)", "its network namespace is gone")
  }

  /// Opens the namespace at a path; nil is the process's own.
  ///
  /// - Throws: ``DataplaneError/Code/notFound`` when nobody can, or when there is none.
  static func open(_ path: String, for port: String) throws(DataplaneError) -> FileDescriptor? {
    let number = cfw_namespace_open(path)
    guard number >= 0 else {
      throw DataplaneError(
        .notFound, "port \(port)", "no network namespace at \(path): \(KernelError(errno: -number))"
      )
    }
    let namespace = FileDescriptor(number)
    return cfw_namespace_inode(number) == cfw_namespace_inode(-1) ? nil : namespace
  }

  /// Calls the function on a thread of its own that may go where it likes, and waits.
  ///
  /// - Parameter body: is given what takes the thread into a namespace, nil being the
  ///   process's own; false when it could not.
  static func onThread(_ body: ((FileDescriptor?) -> Bool) -> Void) {
    let home = FileDescriptor(cfw_namespace_open("/proc/self/ns/net"))
    var here = cfw_namespace_inode(home.number)
    _ = run(-1) {
      body { namespace in
        let number = (namespace ?? home).number
        let inode = cfw_namespace_inode(number)
        guard inode != here else { return true }
        guard cfw_namespace_enter(number) == 0 else { return false }
        here = inode
        return true
      }
      return 0
    }
  }

  /// Calls the function in a namespace, nil being the process's own, and waits.
  ///
  /// - Returns: what it returns, or a negative errno.
  static func call(_ namespace: FileDescriptor?, _ body: () -> Int32) -> Int32 {
    namespace.map { run($0.number, body) } ?? body()
  }

  private static func run(_ namespace: Int32, _ body: () -> Int32) -> Int32 {
    withoutActuallyEscaping(body) { body in
      var body = body
      return withUnsafeMutablePointer(to: &body) { pointer in
        cfw_namespace_call(namespace, { $0?.load(as: (() -> Int32).self)() ?? -1 }, pointer)
      }
    }
  }
}
