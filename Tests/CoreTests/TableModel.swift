import Testing

@testable import Core

/// The tables of a pipeline as dictionaries, as strict as a dataplane.
struct TableModel: Equatable {
  var tables: [String: [[UInt64]: TableEntry]] = [:]

  subscript(table: K8sDP.Table) -> [[UInt64]: TableEntry] { tables[table.name] ?? [:] }

  var rows: Set<TableEntry> { Set(tables.values.flatMap(\.values)) }

  var isEmpty: Bool { tables.values.allSatisfy(\.isEmpty) }

  /// - Parameter checked: Whether every single step leaves nothing dangling.
  mutating func apply(_ updates: [Update], checked: Bool = false) {
    for update in updates {
      switch update {
      case .insert(let row):
        let old = tables[row.table, default: [:]].updateValue(row, forKey: row.key)
        #expect(old == nil, "inserted twice: \(row)")
      case .modify(let row):
        let old = tables[row.table, default: [:]].updateValue(row, forKey: row.key)
        #expect(old != nil, "modified without being there: \(row)")
        #expect(old != row, "modified to what it was: \(row)")
      case .delete(let table, let key):
        let old = tables[table, default: [:]].removeValue(forKey: key)
        #expect(old != nil, "deleted without being there: \(table)\(key)")
      case .setDefault, .resetDefault: Issue.record("k8s_dp has only constant defaults")
      case .setGroup: Issue.record("k8s_dp has no selector")
      }
      if checked, let problem = dangling() {
        Issue.record("after \(update): \(problem)")
        return
      }
    }
  }

  /// The ids of endpoints that slots lead to.
  var slotOwners: Set<UInt64> {
    Set(self[.slots].values.flatMap { K8sDP.slots(in: $0).map { UInt64($0.endpoint) } })
  }

  /// A row that refers to one that is not there, or nil.
  func dangling() -> String? {
    for row in self[.services].values {
      let (id, mask) = (row.arguments[0], row.arguments[1])
      let first = self[.slots][[id, 0]] != nil
      if !first && mask == 3 { continue }
      for row in 0...mask / 4 where self[.slots][[id, row]] == nil {
        return "Service \(id) lacks row \(row) of the slots 0...\(mask)"
      }
    }
    for row in self[.slots].values {
      for slot in K8sDP.slots(in: row) {
        guard let endpoint = self[.endpoints][[UInt64(slot.endpoint)]] else {
          return "a slot of row \(row.key) leads to no endpoint"
        }
        if endpoint.action == "endpoint_drain" {
          return "a slot of row \(row.key) leads to a draining one"
        }
      }
    }
    let addresses = Set(self[.services].keys.map { $0[0] })
    for row in self[.routes].values
    where row.action == "route_vip" && !addresses.contains(row.key[0]) {
      return "route \(row.key) has no Service"
    }
    return nil
  }
}
