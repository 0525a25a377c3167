import Core
import Foundation
import K8sDPArtefacts
import P4RuntimeCodec
import P4RuntimeProtos
import SwiftProtobuf
import TestPrograms

/// Table entries of a P4Runtime Write, against our pipeline and one with prefixes and masks.
public struct WriteRequestParser: OutsideParser {
  public static let name = "write-request"
  private let programs: [P4Program]

  public init() throws { programs = try Self.all() }

  private static func all() throws -> [P4Program] {
    try [
      (K8sDPArtefacts.p4Info, K8sDPArtefacts.spec),
      (TestPrograms.Border.p4Info, TestPrograms.Border.spec),
    ].map {
      try P4Program(
        info: P4_Config_V1_P4Info(textFormatString: $0), spec: PipelineSpec(parsing: $1))
    }
  }

  /// One entry of each table with each action, all values 1.
  public static func seeds(root: String) throws -> [[UInt8]] {
    try all().flatMap(seeds)
  }

  private static func seeds(_ program: P4Program) throws -> [[UInt8]] {
    var seeds: [[UInt8]] = []
    for table in program.tables.values.sorted(by: { $0.id < $1.id }) {
      for reference in table.actions.values.sorted(by: { $0.id < $1.id }) {
        let entry = P4_V1_TableEntry.with {
          $0.tableID = table.id
          $0.priority = table.hasPriority ? 1 : 0
          $0.match = table.key.map { field in
            .with {
              $0.fieldID = field.id
              switch field.kind {
              case .lpm:
                $0.lpm.value = Data([1])
                $0.lpm.prefixLen = Int32(field.bits)
              case .ternary:
                $0.ternary.value = Data([1])
                $0.ternary.mask = Data([1])
              case .optional: $0.optional.value = Data([1])
              case .exact: $0.exact.value = Data([1])
              }
            }
          }
          $0.action.action.actionID = reference.id
          $0.action.action.params = (program.actions[reference.id]?.parameters ?? []).map {
            parameter in
            .with {
              $0.paramID = parameter.id
              $0.value = Data([1])
            }
          }
        }
        let request = P4_V1_WriteRequest.with {
          $0.deviceID = 1
          $0.updates = [
            .with {
              $0.type = .insert
              $0.entity.tableEntry = entry
            }
          ]
        }
        seeds.append(try request.serializedBytes())
      }
    }
    return seeds
  }

  public func parse(_ bytes: [UInt8]) -> Bool {
    guard let request = try? P4_V1_WriteRequest(serializedBytes: bytes) else { return false }
    return request.updates.allSatisfy { update in
      let entry = update.entity.tableEntry
      guard let program = programs.first(where: { $0.tables[entry.tableID] != nil }),
        let table = program.tables[entry.tableID],
        let key = try? program.key(of: entry, in: table),
        let call = try? program.call(
          entry.action.action, allowed: table.actions, of: table.name,
          isDefault: entry.isDefaultAction)
      else { return false }
      // What was taken fits its fields.
      for (field, value) in zip(table.key, key.values) {
        precondition(field.bits == 64 || value >> UInt64(field.bits) == 0)
      }
      // The engine's key says the same, and so does the message that is read back.
      precondition(program.matchKey(program.engineKey(key, in: table), in: table) == key)
      let message = P4_V1_TableEntry.with {
        $0.match = program.match(key, in: table)
        $0.priority = key.priority
      }
      precondition((try? program.key(of: message, in: table)) == key)
      for (parameter, value) in zip(program.actions[call.id]?.parameters ?? [], call.values) {
        precondition(parameter.bits == 64 || value >> UInt64(parameter.bits) == 0)
      }
      return true
    }
  }
}
