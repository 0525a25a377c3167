import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension NetworkNamespace.Identity {
  /// The inode of the machine's first PID namespace (Linux, `PROC_PID_INIT_INO` in
  /// include/linux/proc_ns.h).
  private static let firstPIDNamespace: UInt64 = 0xEFFF_FFFC

  /// Whether a process is in the namespace, or a name of `ip netns` leads to it. File
  /// descriptors and sockets do not count: a TAP that was made in a namespace keeps it for as
  /// long as somebody has the TAP.
  ///
  /// True where it cannot be told: in a PID namespace of its own a process does not see the
  /// others, and without CAP_SYS_PTRACE not where those of other users are.
  public var isInUse: Bool {
    guard Self("/proc/self/ns/pid")?.inode == Self.firstPIDNamespace else { return true }
    let files = FileManager.default
    let names = (try? files.contentsOfDirectory(atPath: "/run/netns")) ?? []
    guard !names.contains(where: { Self("/run/netns/\($0)") == self }) else { return true }
    guard let processes = try? files.contentsOfDirectory(atPath: "/proc") else { return true }
    // The machine's init is in no pod, and some let nobody look at it.
    for process in processes where Int32(process).map({ $0 > 1 }) == true {
      if let identity = Self("/proc/\(process)/ns/net") {
        if identity == self { return true }
      } else if errno != ENOENT, errno != ESRCH {
        return true
      }
    }
    return false
  }

  /// nil, and errno, for a path that leads nowhere: that of a process that has ended.
  private init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}
