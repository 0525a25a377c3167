import Core
import K8sDPArtefacts
import Testing

@testable import Replay

@Suite struct SpecMutantTests {
  @Test func eachChangesOneLine() throws {
    let spec = K8sDPArtefacts.spec
    let lines = spec.split(separator: "\n", omittingEmptySubsequences: false)
    let mutants = SpecMutant.all(of: spec)
    #expect(mutants.count > 1000)
    #expect(Set(mutants).count == mutants.count)
    for mutant in mutants.enumerated().filter({ $0.offset.isMultiple(of: 50) }).map(\.element) {
      let changed = mutant.applied(to: spec)
        .split(separator: "\n", omittingEmptySubsequences: false)
      #expect(changed.count == lines.count)
      let differing = lines.indices.filter { lines[$0] != changed[$0] }
      #expect(differing == [mutant.line - 1], "\(mutant)")
    }
  }

  #if DPDK
    @Test func faultsAreFound() {
      var found = 0
      // Conditions and sums: they do not crash the engine.
      let numbers = MutationRun.mutants.indices.filter { i in
        i.isMultiple(of: 9)
          && ["jmp", "ckadd", "cksub"].contains { MutationRun.mutants[i].before.hasPrefix($0) }
      }
      MutationRun(frames: 6000, seed: 1).run(numbers) { _, outcome in
        if outcome == .found { found += 1 }
      }
      #expect(numbers.count > 10)
      #expect(found * 10 >= numbers.count * 7, "\(found) of \(numbers.count)")
    }
  #endif
}
