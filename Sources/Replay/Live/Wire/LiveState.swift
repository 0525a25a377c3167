import Core
import Infrap4dDataplane
import Logging
import Replay

/// The tables of a running `infrap4d`, brought to what a state file says.
public enum LiveState {
  /// Pushes k8s_dp, unless it runs there, and writes what differs.
  ///
  /// - Parameters:
  ///   - name: `infrap4d:HOST:PORT` or `infrap4d:unix:PATH`.
  ///   - security: of TCP connections.
  /// - Returns: the entries that are there then.
  public static func apply(
    _ state: StateFile, to name: String, security: Infrap4dOptions.Security
  ) throws(ReplayError) -> Int {
    var options = try DataplaneFactory.options(name, security: security)
    let entries = try entries(of: state)
    options.pipeline = PipelineBundle.k8sDP()
    options.entries = entries
    do throws(DataplaneError) {
      let client = try Infrap4dClient(options, logger: Logger(label: "infrap4d"))
      try waiting { () async throws(DataplaneError) in
        await client.start()
        try await client.ready()
        await client.stop()
      }
    } catch {
      throw ReplayError(error, dataplane: name)
    }
    return entries.count
  }

  private static func entries(of state: StateFile) throws(ReplayError) -> [TableEntry] {
    if let snapshot = state.snapshot {
      // Here and now, and not when a server has answered.
      var store = TableStore(contract: K8sDP.contract)
      do { _ = try store.commit(snapshot.rows.map { .insert($0) }) } catch {
        throw ReplayError("\(state.path): \(error.entity)", error.message)
      }
      return snapshot.rows
    }
    var compiler = IntentCompiler()
    do { _ = try compiler.updates(for: state.intent) } catch {
      throw ReplayError(error.entity, error.message)
    }
    return compiler.entries
  }
}
