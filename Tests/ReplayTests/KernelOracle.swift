import Core
import Testing

@testable import Replay

/// The Linux kernel did the same job on the same packets: its conntrack and
/// nftables translated them, its router sent them on. Its frames must be ours,
/// byte for byte.
enum KernelOracle {
  /// Holds what a dataplane forwards against the captures `kernel-port-N`.
  ///
  /// Left out are ARP, which the kernel's router asks and answers itself, and
  /// what it sends in its own name (from the gateway's address). Order is compared
  /// per port only where both sides can know it: as sets of frames.
  ///
  /// - Returns: frames compared.
  static func check(_ fixture: Fixture, with loaded: LoadedDataplane) throws -> Int {
    let output = try fixture.forwarded(by: loaded)
    var compared = 0
    for capture in fixture.captures("kernel") {
      let kernel = try Fixture.frames(capture).filter(isForwardedIPv4)
      let ours = (output[capture.port] ?? []).filter(isForwardedIPv4)
      compared += kernel.count
      #expect(
        sorted(ours) == sorted(kernel),
        "\(fixture.name), port \(capture.port): \(ours.count) frames, the kernel \(kernel.count)")
    }
    return compared
  }

  private static func sorted(_ frames: [[UInt8]]) -> [[UInt8]] {
    frames.sorted { $0.lexicographicallyPrecedes($1) }
  }

  private static func isForwardedIPv4(_ frame: [UInt8]) -> Bool {
    let layers = FrameLayers(frame)
    guard let ip = layers.ipv4 else { return false }
    return ip.source != IPv4Address(0xA9FE_0101)
  }
}
