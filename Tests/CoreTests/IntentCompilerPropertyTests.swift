import Foundation
import Testing

@testable import Core

@Suite struct IntentCompilerPropertyTests {
  @Test(arguments: 0..<24)
  func randomWalk(seed: UInt64) throws {
    var walk = RandomIntent(seed: seed)
    var compiler = IntentCompiler()
    var twin = IntentCompiler()
    var model = TableModel()
    var accepted = Intent()
    for step in 0..<150 {
      walk.step()
      do {
        let before = model
        let updates = try compiler.updates(for: walk.intent)
        model.apply(updates, checked: step % 5 == 0)
        #expect(model.dangling() == nil)
        #expect(Set(updates.map(\.place)).count == updates.count, "a row changed twice")
        IntentSpecification(intent: walk.intent).check(model)
        checkEpochs(from: before, to: model)
        #expect(try twin.updates(for: walk.intent) == updates)
        #expect(try compiler.updates(for: walk.intent).isEmpty)
        if step % 10 == 0 {
          // What it says it has programmed, and what comes of it on disk.
          var entries = TableModel()
          entries.apply(compiler.entries.map { .insert($0) }, checked: true)
          #expect(entries.rows == model.rows)
          compiler = try JSONDecoder().decode(
            IntentCompiler.self, from: JSONEncoder().encode(compiler))
        }
        accepted = walk.intent
      } catch {
        #expect(try compiler.updates(for: accepted).isEmpty, "\(error) left a trace")
        walk.intent = accepted
      }
    }
    #expect(throws: Never.self) { model.apply(try compiler.updates(for: Intent())) }
    #expect(model.isEmpty)
  }

  /// A slot whose endpoint is gone or takes no flow any more has a new epoch,
  /// and no slot has one for nothing.
  private func checkEpochs(from old: TableModel, to new: TableModel) {
    let active = new.slotOwners
    for (key, row) in old[.slots] {
      guard let now = new[.slots][key] else { continue }
      for (before, after) in zip(K8sDP.slots(in: row), K8sDP.slots(in: now))
      where !active.contains(UInt64(before.endpoint)) {
        #expect(after.epoch != before.epoch, "a slot of row \(key) kept its epoch")
      }
    }
  }

  @Test func cosmeticOrderMeansNothing() throws {
    var walk = RandomIntent(seed: 7)
    for _ in 0..<400 {
      let before = walk.intent
      walk.step()
      var probe = IntentCompiler()
      if (try? probe.updates(for: walk.intent)) == nil { walk.intent = before }
    }
    var shuffled = walk.intent
    var random = SeededGenerator(seed: 99)
    shuffled.pods.shuffle(using: &random)
    shuffled.services.shuffle(using: &random)
    for s in shuffled.services.indices {
      shuffled.services[s].ports.shuffle(using: &random)
      for p in shuffled.services[s].ports.indices {
        shuffled.services[s].ports[p].endpoints.shuffle(using: &random)
      }
    }
    var a = IntentCompiler()
    var b = IntentCompiler()
    #expect(try a.updates(for: walk.intent) == b.updates(for: shuffled))
    #expect(try a.updates(for: shuffled).isEmpty)
  }
}

extension Update {
  /// Table and key.
  var place: String {
    switch self {
    case .insert(let row), .modify(let row): "\(row.table)\(row.key)"
    case .delete(let table, let key): "\(table)\(key)"
    case .setDefault(let table, _, _), .resetDefault(let table): "\(table) default"
    case .setGroup(let selector, let group, _): "\(selector)\(group)"
    }
  }
}
