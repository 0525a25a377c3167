import Core
import Testing

@testable import Replay

/// Every fixture through every dataplane.
@Suite(.serialized)
struct FixtureTests {
  /// Small tables: every entry is read after every frame.
  let factory = DataplaneFactory.k8sDP(sizes: [
    "flows": 256, "fragments": 16, "slots": 4096, "endpoints": 1024, "routes": 1024,
    "arp_targets": 1024, "services": 256,
  ])

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

  /// The kernel did the same job: its frames must be ours, byte for byte.
  ///
  /// Left out are ARP, which the kernel's router asks and answers itself, and
  /// what it sends in its own name (from the gateway's address).
  @Test(arguments: Fixture.all.filter { !$0.captures("kernel").isEmpty })
  func modelForwardsWhatTheKernelDid(_ fixture: Fixture) throws {
    let output = try fixture.forwarded(by: factory.make("model"))
    var compared = 0
    for capture in fixture.captures("kernel") {
      let kernel = try Fixture.frames(capture).filter(isForwardedIPv4)
      let ours = (output[capture.port] ?? []).filter(isForwardedIPv4)
      compared += kernel.count
      #expect(
        ours.sorted { $0.lexicographicallyPrecedes($1) }
          == kernel.sorted { $0.lexicographicallyPrecedes($1) },
        "port \(capture.port): \(ours.count) frames, the kernel \(kernel.count)")
    }
    #expect(compared > 0)
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

  private func isForwardedIPv4(_ frame: [UInt8]) -> Bool {
    frame.count >= 34 && frame[12] == 0x08 && frame[13] == 0x00
      && Array(frame[26..<30]) != [169, 254, 1, 1]
  }
}
