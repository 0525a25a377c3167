import Core
import InspectionProtos

/// Rows as messages: those of one table and action together, their values in one list.
enum RowMessages {
  /// Rows of a message at most: some hundred kilobytes.
  static let longest = 8192

  static func learned(_ entries: [LearnedEntry]) -> [K8sdp_V1_Rows] {
    var builder = Builder()
    for entry in entries {
      builder.add(entry.table, entry.action, entry.key, entry.arguments) {
        $0.timers.append(UInt32(entry.timer))
        $0.expiries.append(UInt32(truncatingIfNeeded: entry.expiry >> 32))
      }
    }
    return builder.rows
  }

  static func rows(_ entries: [TableEntry]) -> [K8sdp_V1_Rows] {
    var builder = Builder()
    for entry in entries {
      builder.add(entry.table, entry.action, entry.key, entry.arguments) { _ in }
    }
    return builder.rows
  }

  private struct Builder {
    private struct Kind: Hashable {
      var table: String
      var action: String
    }
    private(set) var rows: [K8sdp_V1_Rows] = []
    private var places: [Kind: Int] = [:]
    private var last: Kind?
    private var place = 0

    mutating func add(
      _ table: String, _ action: String, _ key: [UInt64], _ arguments: [UInt64],
      _ more: (inout K8sdp_V1_Rows) -> Void
    ) {
      // Rows of a kind mostly come one after another.
      if last?.action != action || last?.table != table {
        let kind = Kind(table: table, action: action)
        place = places[kind] ?? rows.count
        if place == rows.count {
          places[kind] = place
          rows.append(
            .with {
              $0.table = table
              $0.action = action
              $0.columns = UInt32(key.count + arguments.count)
            })
        }
        last = kind
      }
      rows[place].values += key
      rows[place].values += arguments
      more(&rows[place])
    }
  }
}

extension K8sdp_V1_Clock {
  init(_ dataplane: any Dataplane, at time: Timestamp) {
    self.init()
    hertz = dataplane.clock.hertz
    cycles = dataplane.cycles(at: time)
  }
}
