import CPrivileges

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A part of root's power, by its number in Linux (capabilities(7)).
public enum Capability: UInt8, CaseIterable, Sendable {
  case netBindService = 10
  case netAdmin = 12
  case netRaw = 13
  case sysAdmin = 21

  /// Gives up all capabilities but these, for good, and the right to gain any by running
  /// a program.
  ///
  /// Capabilities belong to threads, and a new thread has those of its maker: this has to
  /// come before there is a second one. Those that the process does not have it does not
  /// get.
  ///
  /// - Throws: ``CapabilityError`` when the kernel refuses.
  public static func keep(only kept: Set<Capability>) throws(CapabilityError) {
    let result = cpr_keep(kept.reduce(0) { $0 | 1 << UInt64($1.rawValue) })
    guard result == 0 else {
      throw CapabilityError(reason: String(cString: strerror(-result)))
    }
  }
}

/// The kernel did not let capabilities be given up.
public struct CapabilityError: Error, CustomStringConvertible {
  public var reason: String
  public var description: String { "capabilities cannot be given up: \(reason)" }
}
