import Core
import Foundation
import K8sDPArtefacts
import P4RuntimeCodec
import P4RuntimeProtos
import SwiftProtobuf

/// Table entries of a P4Runtime Write, against our pipeline.
public struct WriteRequestParser: OutsideParser {
  public static let name = "write-request"
  private let program: P4Program

  public init() throws { program = try Self.k8sDP() }

  private static func k8sDP() throws -> P4Program {
    try P4Program(
      info: P4_Config_V1_P4Info(textFormatString: K8sDPArtefacts.p4Info),
      spec: PipelineSpec(parsing: K8sDPArtefacts.spec))
  }

  /// One entry of each table with each action, all values 1.
  public static func seeds(root: String) throws -> [[UInt8]] {
    let program = try k8sDP()
    var seeds: [[UInt8]] = []
    for table in program.tables.values.sorted(by: { $0.id < $1.id }) {
      for reference in table.actions.values.sorted(by: { $0.id < $1.id }) {
        let entry = P4_V1_TableEntry.with {
          $0.tableID = table.id
          $0.match = table.key.map { field in
            .with {
              $0.fieldID = field.id
              $0.exact.value = Data([1])
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
      guard let table = program.tables[entry.tableID],
        let key = try? program.key(of: entry, in: table),
        let call = try? program.call(
          entry.action.action, allowed: table.actions, of: table.name,
          isDefault: entry.isDefaultAction)
      else { return false }
      // What was taken fits its fields.
      for (field, value) in zip(table.key, key.values) {
        precondition(field.bits == 64 || value >> UInt64(field.bits) == 0)
      }
      for (parameter, value) in zip(program.actions[call.id]?.parameters ?? [], call.values) {
        precondition(parameter.bits == 64 || value >> UInt64(parameter.bits) == 0)
      }
      return true
    }
  }
}
