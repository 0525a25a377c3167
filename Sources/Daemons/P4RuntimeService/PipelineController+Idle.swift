import Core
import Foundation
import P4RuntimeCodec
import P4RuntimeProtos

/// Entries that no frame has hit for their timeout (P4Runtime 1.4, 9.1 and 16.4).
extension PipelineController {
  /// Entries in one message.
  private static let entriesPerNotification = 512

  /// Tells the primaries of idle entries, until the task is cancelled.
  public func watchIdleEntries() async {
    while !Task.isCancelled {
      do { try await turnstile.pass { await self.tellIdleEntries() } } catch { return }
      await sleepUntilIdle()
    }
  }

  private func tellIdleEntries() async {
    guard let state = activeState else { return }
    while true {
      let now = host.now
      let rows = idle.due(at: now, limit: options.updatesPerTurn)
      guard !rows.isEmpty else { return }
      let keys = rows.compactMap { row in
        state.program.tables[row.table].map {
          (table: $0.engineTable, key: state.program.engineKey(row.key, in: $0))
        }
      }
      let hits = try? await host.withDataplane { dataplane in
        keys.map { try? dataplane.lastHit(of: $0.key, in: $0.table) }
      }
      var entries: [P4_V1_TableEntry] = []
      for (i, row) in rows.enumerated() {
        // What the dataplane does not know may have been hit just now.
        let lastHit = hits.flatMap { $0.indices.contains(i) ? $0[i] : nil } ?? now
        guard idle.settle(row, lastHit: lastHit, at: now),
          let table = state.program.tables[row.table],
          let content = state.tables[row.table]?[row.key]
        else { continue }
        entries.append(state.program.message(content, key: row.key, in: table))
      }
      notify(entries)
    }
  }

  private func notify(_ entries: [P4_V1_TableEntry]) {
    for start in stride(from: 0, to: entries.count, by: Self.entriesPerNotification) {
      let end = min(start + Self.entriesPerNotification, entries.count)
      let message = P4_V1_StreamMessageResponse.with {
        $0.idleTimeoutNotification = .with {
          $0.tableEntry = Array(entries[start..<end])
          $0.timestamp = Int64(Date().timeIntervalSince1970 * 1e9)
        }
      }
      for id in arbitration.primaries {
        _ = streams[id]?.send(message, isDroppable: true)
      }
    }
  }

  /// Starts, changes or ends the timers of entries that have been written.
  func followIdleTimeouts(of updates: [P4_V1_Update]) {
    guard let state = activeState, state.program.tracksHits else { return }
    let next = idle.next
    for update in updates {
      guard case .tableEntry(let entry)? = update.entity.entity, !entry.isDefaultAction,
        let table = state.program.tables[entry.tableID], table.tracksHits,
        let key = try? state.program.key(of: entry, in: table)
      else { continue }
      let row = ProfileState.RowID(table: table.id, key: key)
      idle.set(row, state.tables[table.id]?[key]?.idleTimeout ?? 0, at: host.now)
    }
    if idle.next != next { wakeIdleWatch() }
  }

  /// Returns when the next timeout may have run out, or timers have changed.
  private func sleepUntilIdle() async {
    if !isIdleWatchWoken {
      let timer = idle.next.map { time in
        Task { [host] in
          try await host.sleep(until: time)
          self.wakeIdleWatch()
        }
      }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          if Task.isCancelled { continuation.resume() } else { idleWatch = continuation }
        }
      } onCancel: {
        Task { await self.wakeIdleWatch() }
      }
      timer?.cancel()
    }
    isIdleWatchWoken = false
  }

  func wakeIdleWatch() {
    isIdleWatchWoken = true
    idleWatch?.resume()
    idleWatch = nil
  }
}
