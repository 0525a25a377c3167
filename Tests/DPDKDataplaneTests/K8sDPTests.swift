#if DPDK
  import Core
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
    }
  }
#endif
