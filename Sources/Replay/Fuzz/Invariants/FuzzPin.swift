import Core

/// A learned entry that pins a client's flow to an endpoint.
struct FuzzPin {
  var flow: FuzzFlow
  var endpoint: UInt64
  /// The cycle from which it is dead.
  var expiry: UInt64
  /// Of the entry: UDP flows that were let go choose anew under another one.
  var kind: UInt64
  /// A connection whose handshake is over.
  var isEstablished: Bool { kind == 6 }
  /// A connection whose handshake is not over.
  var isHalfOpen: Bool { kind == 7 }
  /// Its endpoint was taken away since; the entry is left to age.
  var isStale = false

  /// nil for entries of replies and of other tables. Fields are those of the contract:
  /// src, sport, dst, dport, kind, mix → id, ip, port, kind, nat.
  init?(_ entry: LearnedEntry) {
    guard entry.table == "flows", entry.key.count == 6, entry.arguments.count == 5,
      entry.arguments[4] == 1
    else { return nil }
    // 6 and 7 are TCP; UDP towards a Service has 0x80 | its epoch.
    kind = entry.key[4]
    let transport: TransportProtocol = kind == 6 || kind == 7 ? .tcp : .udp
    flow = FuzzFlow(
      client: entry.key[0] << 16 | entry.key[1],
      service: FuzzFlow.Service(
        transport: transport.rawValue, end: entry.key[2] << 16 | entry.key[3]))
    endpoint = entry.arguments[1] << 16 | entry.arguments[2]
    expiry = entry.expiry
  }
}
