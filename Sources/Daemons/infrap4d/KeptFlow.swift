import Core
import Foundation

/// A learned entry on disk: 32-bit words, little-endian: timer, milliseconds that are left
/// of its life, key, arguments of `flow_hit`.
struct KeptFlow {
  private static let action = "flow_hit"
  private static let keyCount = 6
  private static let argumentCount = 5
  static let length = 4 * (2 + keyCount + argumentCount)

  var timer: UInt8
  var milliseconds: UInt32
  var key: [UInt64]
  var arguments: [UInt64]

  /// - Parameters:
  ///   - now: the engine's cycle count.
  ///   - clock: the engine's.
  init?(_ entry: LearnedEntry, now: UInt64, clock: EngineClock) {
    guard entry.table == K8sDP.flowsTable, entry.action == Self.action, entry.expiry > now else {
      return nil
    }
    timer = entry.timer
    milliseconds = UInt32(clamping: (entry.expiry - now) / max(1, clock.hertz / 1000))
    key = entry.key
    arguments = entry.arguments
  }

  /// - Parameter bytes: ``length`` of them.
  init?(_ bytes: Data) {
    guard bytes.count == Self.length else { return nil }
    let words = stride(from: 0, to: Self.length, by: 4).map { offset in
      bytes.dropFirst(offset).prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    timer = UInt8(truncatingIfNeeded: words[0])
    milliseconds = words[1]
    key = words[2..<2 + Self.keyCount].map(UInt64.init)
    arguments = words[(2 + Self.keyCount)...].map(UInt64.init)
  }

  func append(to data: inout Data) {
    let fields = [UInt64(timer), UInt64(milliseconds)] + key + arguments
    for field in fields {
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: field).littleEndian) {
        data.append(contentsOf: $0)
      }
    }
  }

  /// - Parameter elapsed: milliseconds since it was written.
  /// - Returns: nil when its life is over.
  func entry(elapsed: UInt64, now: UInt64, clock: EngineClock) -> LearnedEntry? {
    guard UInt64(milliseconds) > elapsed else { return nil }
    let left = (UInt64(milliseconds) - elapsed) * (clock.hertz / 1000)
    // The engine counts in units of 2³² cycles: the nearest one.
    let expiry = (now + left + 1 << 31) & ~0xFFFF_FFFF
    guard expiry > now else { return nil }
    return LearnedEntry(
      table: K8sDP.flowsTable, key: key, action: Self.action, arguments: arguments, timer: timer,
      expiry: expiry)
  }
}
