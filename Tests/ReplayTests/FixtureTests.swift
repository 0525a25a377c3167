import Core
import Testing

@testable import Replay

/// Every fixture through every dataplane.
@Suite(.serialized)
struct FixtureTests {
  static let sizes = FixtureFolder.sizes
  let factory = DataplaneFactory.k8sDP(sizes: sizes)

  #if DPDK
    @Test(arguments: Fixture.all)
    func modelAndDPDKAgree(_ fixture: Fixture) throws {
      let comparison = try Comparer(run: fixture.run(), everyFrame: true)
        .compare("model", "dpdk", from: factory)
      #expect(comparison.outcome.frames > 0)
      #expect(comparison.isEqual, "\(comparison.text)")
    }
  #endif

  /// What a strict receiver would object to, unless it did so before.
  @Test(arguments: Fixture.all)
  func forwardedChecksumsAreNoWorse(_ fixture: Fixture) throws {
    let loaded = try factory.make("model")
    _ = try fixture.run().run([loaded]) { (frame, _) throws(ReplayError) in
      var bytes = frame.bytes
      if case .forward = loaded.dataplane.process(&bytes, port: frame.port, at: frame.time) {
        #expect(bytes.count == frame.bytes.count)
        let found = ChecksumVerifier.problems(in: bytes)
        if ChecksumVerifier.problems(in: frame.bytes).isEmpty {
          #expect(found.isEmpty, "frame \(frame.number): \(found)")
        }
      }
      return true
    }
  }

  @Test(arguments: Fixture.all.filter { !$0.captures("kernel").isEmpty })
  func modelForwardsWhatTheKernelDid(_ fixture: Fixture) throws {
    #expect(try KernelOracle.check(fixture, with: factory.make("model")) > 0)
  }

  /// Reviewed output, so that both dataplanes cannot drift together.
  @Test(arguments: Fixture.all)
  func outputIsAsExpected(_ fixture: Fixture) throws {
    let output = try fixture.forwarded(by: factory.make("model"))
    var expected: [PortID: [[UInt8]]] = [:]
    for capture in fixture.captures("expect") {
      expected[capture.port] = try Fixture.frames(capture)
    }
    #expect(output == expected)
  }
}
