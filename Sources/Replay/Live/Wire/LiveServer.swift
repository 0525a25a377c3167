import Core
import Infrap4dDataplane
import Replay

/// A running `infrap4d` that frames go through by its TAPs: they are made for it, and
/// removed with the last reference.
///
/// Unchecked: one thread drives it, as it does every dataplane.
public final class LiveServer: @unchecked Sendable {
  private let options: Infrap4dOptions
  private let command: LiveCommand?
  private var session: LiveSession?
  private var electionID: UInt64

  /// - Parameters:
  ///   - options: where it is; its pipeline is always k8s_dp.
  ///   - start: starts it anew for each pipeline: a line for the shell that ends in the
  ///     server itself. nil: it runs already.
  public init(_ options: Infrap4dOptions, start: String? = nil) {
    self.options = options
    command = start.map { LiveCommand($0) }
    electionID = options.electionID
  }

  /// A fresh k8s_dp on it. The one that was made before ends.
  ///
  /// - Throws: ``DataplaneError``: `invalidArgument` for certificates that cannot be read,
  ///   `unavailable` without a server, or without the permission to send frames.
  public func load(name: String) throws(DataplaneError) -> LoadedDataplane {
    electionID += 1
    if let command {
      session = nil
      try command.restart()
    } else if session?.kind == .upstream {
      throw DataplaneError(
        .unavailable, "infrap4d",
        "upstream's takes one pipeline a life; say with --start how to start it anew")
    }
    do throws(DataplaneError) {
      return try connected().load(name: name, electionID: electionID) { [weak command] in
        command?.failure
      }
    } catch {
      if let failure = command?.failure { throw failure }
      throw error
    }
  }
  private func connected() throws(DataplaneError) -> LiveSession {
    if let session { return session }
    let session = try LiveSession(options)
    self.session = session
    return session
  }
}
