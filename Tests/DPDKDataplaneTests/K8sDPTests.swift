#if DPDK
  import Core
  import SimDataplane
  import Testing

  @testable import DPDKDataplane

  extension Engine {
    /// The product's own pipeline on the engine.
    @Suite struct K8sDPOnEngine {
      private func load() throws -> PipelineSpec {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try readFile("/\(root)/k8s_dp/k8s_dp.spec")
        return try PipelineSpec(
          parsing: String(decoding: bytes, as: UTF8.self), file: "k8s_dp.spec")
      }

      @Test func loads() throws {
        let spec = try load()
        #expect(spec.metadataBytes <= PipelineSpec.maximumMetadataBytes)
        var options = SWXOptions()
        options.sizes = ["flows": 1024, "fragments": 1024]
        let plane = try SWXDataplane(spec: spec, options: options)
        var multicast = TestSpecs.frame(dst: 0xE000_0001)
        multicast[0] = 1
        #expect(plane.process(&multicast, port: 0, at: .zero) == .drop(.multicast))
        #expect(try plane.register("drops_0", 2) == 1)
      }

      /// Random frames with plausible headers: same verdicts, bytes, learned
      /// entries and counters as the model.
      @Test func agreesWithTheModelOnGarbage() throws {
        var options = SWXOptions()
        options.sizes = ["flows": 1024, "fragments": 1024]
        options.gate = { frame in
          frame.baseAddress.map { FrameGate.check($0, length: frame.count) } ?? .truncated
        }
        let engine = try SWXDataplane(spec: load(), options: options)
        var modelOptions = SimDataplane.Options()
        modelOptions.clock = engine.clock
        modelOptions.sizes = options.sizes
        let model = SimDataplane(options: modelOptions)
        var random = SplitMix64(seed: 3)
        for i in 0..<3000 {
          let length = Int.random(in: 0...120, using: &random)
          var frame = TestSpecs.frame(
            src: UInt32.random(in: 0...3, using: &random),
            dst: UInt32.random(in: 0...3, using: &random), ttl: UInt8(i % 3), length: length)
          frame = Array(frame[..<min(frame.count, length)])
          for _ in 0..<Int.random(in: 0...3, using: &random) where !frame.isEmpty {
            frame[Int.random(in: 0..<frame.count, using: &random)] = UInt8.random(
              in: 0...255, using: &random)
          }
          var a = frame
          var b = frame
          let time = Timestamp(nanoseconds: UInt64(i) * 1_000_000)
          let left = engine.process(&a, port: 1, at: time)
          let right = model.process(&b, port: 1, at: time)
          #expect(left == right, "frame \(i)")
          if case .forward = left { #expect(a == b, "frame \(i)") }
        }
        #expect(engine.learnedEntries(at: .seconds(3)) == model.learnedEntries(at: .seconds(3)))
      }
    }
  }
#endif
