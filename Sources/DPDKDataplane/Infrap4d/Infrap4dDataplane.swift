import Core

/// A remote `infrap4d` as a ``Dataplane``: tables over P4Runtime, frames through the
/// interfaces of its ports.
///
/// Calls wait for the server, so they must not be made on Swift's concurrency pool; code
/// there takes ``Infrap4dClient``. Time is the server's own: frames are processed when
/// they arrive, whatever time is given.
public final class Infrap4dDataplane: Dataplane {
  public let name: String
  public let contract: Contract
  public let clock: EngineClock
  public let client: Infrap4dClient
  private let wire: (any FrameWire)?
  private var frames = Counters()

  /// Why the wire failed, if it did: verdicts from then on mean nothing.
  public private(set) var failure: DataplaneError?

  /// Waits until the server is ready.
  ///
  /// - Parameters:
  ///   - name: for reports.
  ///   - wire: how frames get to the server and back; nil drops all of them.
  /// - Throws: ``DataplaneError/Code/unavailable``.
  public init(
    _ client: Infrap4dClient, name: String = "infrap4d", wire: (any FrameWire)? = nil
  ) throws(DataplaneError) {
    self.name = name
    self.client = client
    self.wire = wire
    contract = try waiting { () async throws(DataplaneError) in
      try await client.ready()
      return await client.contract
    }
    // A remote engine's cycles cannot be seen.
    clock = .model
  }

  public func apply(_ updates: [Update]) throws(DataplaneError) {
    let client = client
    try waiting { () async throws(DataplaneError) in try await client.apply(updates) }
  }

  public func entries(of table: String) throws(DataplaneError) -> [TableEntry] {
    let client = client
    return try waiting { () async throws(DataplaneError) in try await client.entries(of: table) }
  }

  /// P4Runtime has no word for it.
  ///
  /// - Throws: ``DataplaneError/Code/unimplemented``.
  public func setTimer(_ profile: Int, seconds: UInt32) throws(DataplaneError) {
    throw DataplaneError(
      .unimplemented, "timer \(profile)", "P4Runtime cannot set the times of learned entries")
  }

  public func process(_ frame: inout [UInt8], port: PortID, at time: Timestamp) -> Verdict {
    let verdict = exchange(&frame, port: port)
    frames.count(verdict)
    return verdict
  }

  private func exchange(_ frame: inout [UInt8], port: PortID) -> Verdict {
    guard let wire, failure == nil else { return .drop(.noPipeline) }
    do throws(DataplaneError) { return try wire.exchange(&frame, port: port) } catch {
      failure = error
      return .drop(.noPipeline)
    }
  }

  /// None: P4Runtime does not say when they expire. See ``Infrap4dClient/learned()``.
  public func learnedEntries(at time: Timestamp) -> [LearnedEntry] { [] }

  /// Frames as the wire saw them.
  public func counters() -> Counters { frames }
}
