/// Rows of each table, held against what the tables take.
struct RowCounts: Hashable, Sendable, Codable {
  var sites = 0
  var virtualAddresses = 0
  var services = 0
  var slots = 0
  var endpoints = 0

  func check() throws(IntentError) {
    try check(.arpTargets, sites, "run fewer pods on this node")
    try check(.routes, sites + virtualAddresses, "run fewer pods or Services")
    try check(.services, services, "run fewer Service ports")
    try check(.slots, slots, "run fewer Service ports, or bring endpoint weights closer together")
    try check(.endpoints, endpoints, "run fewer endpoints")
  }

  private func check(
    _ table: K8sDP.Table, _ count: Int, _ advice: String
  ) throws(IntentError) {
    guard count > table.size else { return }
    throw IntentError(
      "table \(table.name)", "would need \(count) rows and holds \(table.size); \(advice)")
  }
}
