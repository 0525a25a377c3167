import Foundation

/// What a test leaves to chance, from a seed that it tells: `K8SDP_SEED` has it happen again, as
/// far as programs that run side by side do.
///
/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
/// 2014.
public struct Chance: RandomNumberGenerator, Sendable {
  public let seed: UInt64
  private var state: UInt64

  /// - Parameter seed: of another one, for a part of a test that runs beside it.
  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// Takes a seed that nobody knows, unless one is given, and prints it.
  ///
  /// - Parameter test: whose it is.
  public init(of test: String) {
    let given = ProcessInfo.processInfo.environment["K8SDP_SEED"].flatMap(UInt64.init)
    self.init(seed: given ?? UInt64.random(in: 0...UInt64(UInt32.max)))
    print("\(test): K8SDP_SEED=\(seed)")
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Waits for some time, at most so long.
  public mutating func pause(_ longest: Duration) async throws {
    try await Task.sleep(for: longest * Double.random(in: 0...1, using: &self))
  }
}
