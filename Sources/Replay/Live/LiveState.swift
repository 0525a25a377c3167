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
    _ intent: Intent, to name: String, security: Infrap4dOptions.Security
  ) throws(ReplayError) -> Int {
    var options = try DataplaneFactory.options(name, security: security)
    var compiler = IntentCompiler()
    do { _ = try compiler.updates(for: intent) } catch {
      throw ReplayError(error.entity, error.message)
    }
    let entries = compiler.entries
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
}
