import Core
import Foundation
import P4RuntimeCodec
import P4RuntimeProtos

/// The forwarding state as P4Runtime has it: every entry as its controller wrote it,
/// and the one place where updates are judged.
///
/// It reaches no dataplane. ``perform(_:)`` changes the state and says what the engine
/// has to do; ``undo(_:)`` takes a change back, newest first, so that a batch can be
/// all or nothing and an engine that is full leaves no trace.
struct ForwardingState: Sendable {
  let program: P4Program
  var tables: [UInt32: [MatchKey: Row]] = [:]
  var profiles: [UInt32: ProfileState] = [:]

  /// Defaults that a controller has changed.
  var defaults: [UInt32: Row] = [:]
  /// Of the direct meters of defaults.
  var defaultRates: [UInt32: MeterRates] = [:]
  /// Meter → index → its rates; others mark everything green.
  var meters: [UInt32: [Int: MeterRates]] = [:]

  init(program: P4Program) {
    self.program = program
    for table in program.tables.values { tables[table.id] = [:] }
    for profile in program.profiles.values { profiles[profile.id] = ProfileState(profile) }
  }

  /// Entries of all tables, without defaults.
  var entryCount: Int { tables.values.reduce(0) { $0 + $1.count } }

  /// One thing that changed, as it was before.
  enum Step: Sendable {
    case row(table: UInt32, key: MatchKey, old: Row?)
    case defaultRow(table: UInt32, old: Row?)
    case defaultRates(table: UInt32, old: MeterRates?)
    case meter(UInt32, index: Int, old: MeterRates?)
    case profile(UInt32, ProfileState.Step)
  }

  /// What an update changed here, and what it asks of the engine.
  struct Change: Sendable {
    var steps: [Step] = []
    var engine: [Update] = []
    /// Behind those of the engine.
    var writes: [ArrayWrite] = []
  }

  /// Judges an update and takes it over.
  ///
  /// - Throws: ``P4Error`` with the code that P4Runtime 1.4 gives the case; nothing has
  ///   changed then.
  mutating func perform(_ update: P4_V1_Update) throws(P4Error) -> Change {
    switch update.type {
    case .insert, .modify, .delete: break
    default: throw P4Error(.invalidArgument, "the update's type must be INSERT, MODIFY or DELETE")
    }
    switch update.entity.entity {
    case .tableEntry(let entry): return try perform(update.type, entry)
    case .actionProfileMember(let member): return try perform(update.type, member)
    case .actionProfileGroup(let group): return try perform(update.type, group)
    case .counterEntry(let entry):
      try requireModify(update.type, "counters")
      return try write(entry)
    case .directCounterEntry(let entry):
      try requireModify(update.type, "direct counters")
      return try write(entry)
    case .meterEntry(let entry):
      try requireModify(update.type, "meters")
      return try write(entry)
    case .directMeterEntry(let entry):
      try requireModify(update.type, "direct meters")
      return try write(entry)
    case .registerEntry(let entry):
      try requireModify(update.type, "registers")
      return try write(entry)
    case .valueSetEntry(let entry): throw noValueSet(entry.valueSetID)
    case .digestEntry(let entry): throw noDigest(entry.digestID)
    case .externEntry(let entry):
      throw P4Error(.unimplemented, "extern type \(entry.externTypeID) is not served here")
    case .packetReplicationEngineEntry:
      throw P4Error(.unimplemented, "this target has no packet replication engine")
    case nil: throw P4Error(.invalidArgument, "the update has no entity")
    }
  }

  /// Takes a change back. Only for the newest one that is still there.
  mutating func undo(_ change: Change) {
    for step in change.steps.reversed() {
      switch step {
      case .row(let table, let key, let old): tables[table]?[key] = old
      case .defaultRow(let table, let old): defaults[table] = old
      case .defaultRates(let table, let old): defaultRates[table] = old
      case .meter(let id, let index, let old): meters[id, default: [:]][index] = old
      case .profile(let id, let step): profiles[id]?.undo(step)
      }
    }
  }

  func table(_ id: UInt32) throws(P4Error) -> P4Program.Table {
    guard let table = program.tables[id] else { throw unknown("table", id) }
    return table
  }

  func unknown(_ kind: String, _ id: UInt32) -> P4Error {
    P4Error(
      .invalidArgument,
      id == 0 ? "the \(kind) id is not set" : "P4Info has no \(kind) with id \(id)")
  }

  private func requireModify(
    _ type: P4_V1_Update.TypeEnum, _ what: String
  ) throws(P4Error) {
    guard type == .modify else { throw P4Error(.invalidArgument, "\(what) can only be modified") }
  }

  func noValueSet(_ id: UInt32) -> P4Error {
    unserved("value set", id, program.info.valueSets.map(\.preamble.id))
  }

  func noDigest(_ id: UInt32) -> P4Error {
    unserved("digest", id, program.info.digests.map(\.preamble.id))
  }

  /// What P4Info has, if it has it, and this target does not serve.
  private func unserved(_ kind: String, _ id: UInt32, _ present: [UInt32]) -> P4Error {
    present.contains(id)
      ? P4Error(.unimplemented, "\(kind)s are not served here") : unknown(kind, id)
  }
}
