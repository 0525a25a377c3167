import Core

/// Forwards between pods by the tables `routes` and `arp_targets`. It knows no Service.
final class Router: Dataplane {
  let name = "router"
  let contract = K8sDP.contract
  let clock = EngineClock.model
  private var store = TableStore(contract: K8sDP.contract)
  private var rows: [String: TableEntry] = [:]
  private var counted = Counters()

  func apply(_ updates: [Update]) throws(DataplaneError) {
    for change in try store.commit(updates) {
      switch change {
      case .set(let entry, _): rows[entry.table + "\(entry.key)"] = entry
      case .delete(let entry): rows[entry.table + "\(entry.key)"] = nil
      default: break
      }
    }
  }

  func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
    try store.entries(of: table)
  }

  func setTimer(_ profile: Int, seconds: UInt32) {}
  func learnedEntries(at time: Timestamp) -> [LearnedEntry] { [] }
  func counters() -> Counters { counted }

  func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
    let verdict = forward(&frame)
    counted.count(verdict)
    return verdict
  }
}
