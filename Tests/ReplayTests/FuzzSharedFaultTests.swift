import Core
import Foundation
import K8sDPArtefacts
import SimDataplane
import Testing

@testable import Replay

/// Faults in what fills the tables, or in the pipeline itself, on both sides alike: a run of
/// the fuzzer finds each by a rule that it breaks, and cuts it down.
@Suite struct FuzzSharedFaultTests {
  /// A faulty way from intent to tables.
  enum Compiler: CaseIterable {
    /// Every endpoint that takes new flows gets as many.
    case ignoresWeights
    /// A Service port that loses an endpoint gives out all its slots anew.
    case dealsAnew

    var finding: String {
      switch self {
      case .ignoresWeights: "weight is worth"
      case .dealsAnew: "a new flow went elsewhere, although its endpoint was not removed"
      }
    }

    func load(_ dataplane: any Dataplane) -> LoadedDataplane {
      let loaded = LoadedDataplane(k8sDP: dataplane)
      var last = Intent()
      return LoadedDataplane(dataplane) { (intent) throws(DataplaneError) in
        switch self {
        case .ignoresWeights:
          try loaded.setIntent(intent.with { endpoint, _ in min(endpoint.weight, 1) })
        case .dealsAnew:
          let before = FuzzNode(last)
          let after = FuzzNode(intent)
          let emptied = intent.with { endpoint, service in
            let old = before.services[service] ?? [:]
            let new = after.services[service] ?? [:]
            return old.keys.contains { new[$0] == nil } ? 0 : endpoint.weight
          }
          if emptied != intent { try loaded.setIntent(emptied) }
          try loaded.setIntent(intent)
          last = intent
        }
      }
    }
  }

  private func fuzzer(
    folder: String, seed: UInt64 = 1,
    make: @escaping @Sendable (FuzzEpisode) throws(ReplayError) -> LoadedDataplane
  ) -> Fuzzer {
    var fuzzer = Fuzzer(seed: seed, frames: 240_000, left: "one", right: "two", folder: folder)
    fuzzer.factory = { episode in
      DataplaneFactory(
        recipes: ["one", "two"].map { name in
          DataplaneFactory.Recipe(name: name) { (_) throws(ReplayError) in try make(episode) }
        })
    }
    return fuzzer
  }

  @Test(arguments: Compiler.allCases) func ofTheCompiler(_ compiler: Compiler) throws {
    let scratch = try Scratch()
    let fuzzer = fuzzer(folder: scratch.path) { (episode) throws(ReplayError) in
      var options = SimDataplane.Options()
      options.sizes = episode.sizes
      return compiler.load(SimDataplane(options: options))
    }
    let failure = try #require(try fuzzer.run().failure)
    #expect(failure.what.hasPrefix("both: "))
    #expect(failure.what.contains(compiler.finding))
    #expect(failure.steps <= 6, "\(failure.what)")
    #expect(failure.fixture != nil)
  }

  #if DPDK
    /// The pipeline on DPDK, without the one comparison that refuses a flow whose replies
    /// would be another's.
    @Test func ofThePipeline() throws {
      let check = "\tmov m.local_metadata_next 0x3\n\tmov m.local_metadata_reason 0x7\n"
      let text = K8sDPArtefacts.spec.replacingOccurrences(of: check, with: "")
      #expect(text.count == K8sDPArtefacts.spec.count - 3 * check.count)
      let spec = try PipelineSpec(parsing: text)
      let scratch = try Scratch()
      let fuzzer = fuzzer(folder: scratch.path, seed: 4002) { (episode) throws(ReplayError) in
        LoadedDataplane(
          k8sDP: try DataplaneFactory.engine(
            spec, sizes: episode.sizes, ports: 16, staleByte: episode.staleByte,
            virtualTime: true))
      }
      let failure = try #require(try fuzzer.run().failure)
      // Or what that does to the flow that was there first.
      #expect(
        [
          "both: two flows of one client look the same to one endpoint",
          "both: a packet of an established flow was dropped: flow_table_full",
        ].contains(failure.what))
      #expect(failure.steps <= 12)
      #expect(failure.fixture != nil)
    }
  #endif
}

extension Intent {
  /// The same, with other weights.
  fileprivate func with(weight: (Endpoint, FuzzFlow.Service) -> UInt32) -> Intent {
    var intent = self
    for s in services.indices {
      for p in services[s].ports.indices {
        let port = services[s].ports[p]
        let service = FuzzFlow.Service(
          transport: port.transport.rawValue,
          end: UInt64(services[s].clusterIP.value) << 16 | UInt64(port.port))
        for e in port.endpoints.indices {
          intent.services[s].ports[p].endpoints[e].weight = weight(port.endpoints[e], service)
        }
      }
    }
    return intent
  }
}
