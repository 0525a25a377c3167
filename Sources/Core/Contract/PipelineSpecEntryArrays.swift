/// What a pipeline keeps of each entry of a table: `p4c-dpdk` makes of a direct counter or
/// meter an array that actions index with the id of the entry that was hit (`entryid m.i`,
/// then `regadd dc_0 m.i 0x1`). Index 0 is a miss.
extension PipelineSpec {
  /// The arrays that an action indexes with the id of the entry.
  public func entryArrays(of action: Action) -> Set<String> {
    var ids: Set<String> = []
    var arrays: Set<String> = []
    for words in action.instructions.map(\.words) {
      if words[0] == "entryid" { ids.insert(words[1]) }
      guard let (array, index) = Self.access(words), ids.contains(index) else { continue }
      arrays.insert(array)
    }
    return arrays
  }

  /// The arrays that any action of a table indexes with the id of the entry.
  public func entryArrays(of table: Table) -> Set<String> {
    let actions = table.actions.compactMap { action($0.name) }
    return actions.reduce(into: []) { $0.formUnion(entryArrays(of: $1)) }
  }

  /// The same pipeline with arrays that have an element for each entry of their table, and
  /// one for misses: the engine wraps an index that is too great.
  public func withRoomForEntries() -> PipelineSpec {
    var copy = self
    for table in tables {
      let arrays = entryArrays(of: table)
      for i in copy.registers.indices where arrays.contains(copy.registers[i].name) {
        copy.registers[i].size = max(copy.registers[i].size, table.size + 1)
      }
      for i in copy.meters.indices where arrays.contains(copy.meters[i].name) {
        copy.meters[i].size = max(copy.meters[i].size, table.size + 1)
      }
    }
    return copy
  }

  /// The array that an instruction uses, and the operand that says which element.
  private static func access(_ words: [String]) -> (array: String, index: String)? {
    switch words[0] {
    case "regadd", "regwr", "regprefetch", "meter", "metprefetch":
      words.count > 2 ? (words[1], words[2]) : nil
    case "regrd": words.count > 3 ? (words[2], words[3]) : nil
    default: nil
    }
  }
}
