import Core

/// Rows of tables as lines of words: table, key, action, arguments. Addresses are written as
/// people write them, all else as decimal numbers.
struct RowText {
  fileprivate struct Shape {
    var key: [Contract.Field]
    var actions: [String: [Contract.Field]]
  }

  private var shapes: [String: Shape] = [:]

  init(_ contract: Contract) {
    for table in contract.tables {
      shapes[table.name] = Shape(contract, key: table.key, actions: table.actions)
    }
    for learner in contract.learners {
      shapes[learner.name] = Shape(contract, key: learner.key, actions: learner.actions)
    }
  }

  /// Fields that hold an IPv4 address.
  private static let addresses: Set<String> = [
    "ip", "src_ip", "dst_ip", "src_addr", "dst_addr", "tpa",
  ]

  // MARK: Writing

  func line(_ entry: TableEntry) -> String {
    guard let shape = shapes[entry.table] else { preconditionFailure("\(entry.table) is no table") }
    return
      ([entry.table] + Self.words(entry.key, shape.key) + [entry.action]
      + Self.words(entry.arguments, shape.actions[entry.action] ?? [])).joined(separator: " ")
  }

  func line(table: String, key: [UInt64]) -> String {
    ([table] + Self.words(key, shapes[table]?.key ?? [])).joined(separator: " ")
  }

  private static func words(_ values: [UInt64], _ fields: [Contract.Field]) -> [String] {
    zip(values, fields).map { value, field in
      if field.bits == 48 { return MACAddress(value).description }
      guard field.bits == 32, addresses.contains(field.name) else { return "\(value)" }
      return IPv4Address(UInt32(truncatingIfNeeded: value)).description
    }
  }

  // MARK: Reading

  /// A row at the words from `first` on.
  ///
  /// - Returns: the row, and the index of the word behind it.
  func entry(
    _ line: WordFile.Line, from first: Int
  ) throws(ReplayError) -> (entry: TableEntry, next: Int) {
    let (table, key) = try key(line, from: first)
    guard let shape = shapes[table] else { preconditionFailure("\(table) was found") }
    var next = first + 1 + key.count
    let action = line.text(next)
    guard let fields = shape.actions[action] else {
      throw line.error(
        next,
        "\(table) has no action \"\(action)\", but \(shape.actions.keys.sorted().joined(separator: ", "))"
      )
    }
    next += 1
    var arguments: [UInt64] = []
    arguments.reserveCapacity(fields.count)
    for field in fields {
      arguments.append(try line.value(next, field))
      next += 1
    }
    return (TableEntry(table: table, key: key, action: action, arguments: arguments), next)
  }

  /// A table and a key at the words from `first` on.
  func key(
    _ line: WordFile.Line, from first: Int
  ) throws(ReplayError) -> (table: String, key: [UInt64]) {
    let table = line.text(first)
    guard let shape = shapes[table] else {
      throw line.error(
        first, "there is no table \"\(table)\", but \(shapes.keys.sorted().joined(separator: ", "))"
      )
    }
    var key: [UInt64] = []
    key.reserveCapacity(shape.key.count)
    for (place, field) in shape.key.enumerated() {
      key.append(try line.value(first + 1 + place, field))
    }
    return (table, key)
  }
}

extension RowText.Shape {
  fileprivate init(_ contract: Contract, key: [Contract.Field], actions: [String]) {
    self.key = key
    self.actions = Dictionary(
      uniqueKeysWithValues: actions.map { ($0, contract.actions[$0]?.arguments ?? []) })
  }
}
