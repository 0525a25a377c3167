import CForwarding
import Core
import Foundation
import Hosting

/// The ports of a pipeline and the thread that moves frames between them.
public final class Forwarder: DataplaneHost, PortRegistry, PacketIO, Sendable {
  public struct Options: Sendable {
    /// Ids of ports are 0..<maximumPorts.
    public var maximumPorts = 1024
    /// The port that is the controller's: its frames become packet-ins.
    public var controllerPort: PortID?
    /// Never sleeps: lower latency for one core.
    public var isPolling = false
    public init() {}
  }

  private let queue: CommandQueue

  /// Starts the thread.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when the kernel has no descriptors
  ///   left.
  public init(_ options: Options = Options()) throws(DataplaneError) {
    queue = try CommandQueue()
    let queue = queue
    let started = DispatchSemaphore(value: 0)
    let outcome = Outcome()
    let thread = Thread {
      cfwd_name_thread("forwarding")
      let loop: ForwardingLoop
      do throws(DataplaneError) {
        loop = try ForwardingLoop(
          maximumPorts: options.maximumPorts, controllerPort: options.controllerPort,
          isPolling: options.isPolling, queue: queue)
      } catch {
        outcome.error = error
        started.signal()
        return
      }
      started.signal()
      loop.run()
      queue.close()
    }
    thread.stackSize = 1 << 20
    thread.start()
    started.wait()
    if let error = outcome.error { throw error }
  }

  private final class Outcome: @unchecked Sendable { var error: DataplaneError? }

  public var now: Timestamp { ForwardingLoop.now }

  private func perform<Result: Sendable>(
    _ body: @escaping @Sendable (ForwardingLoop) throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      queue.add { loop in
        continuation.resume(
          with: Swift.Result {
            guard let loop else {
              throw DataplaneError(.unavailable, "forwarding", "has stopped")
            }
            return try body(loop)
          })
      }
    }
  }

  public func withDataplane<Result: Sendable>(
    _ body: @escaping @Sendable (any Dataplane) throws -> Result
  ) async throws -> Result {
    try await perform { loop in
      guard let dataplane = loop.dataplane else {
        throw DataplaneError(.unavailable, "dataplane", "no pipeline is installed")
      }
      return try body(dataplane)
    }
  }

  public func install(_ make: @escaping @Sendable () throws -> any Dataplane) async throws {
    try await perform { loop in loop.dataplane = try make() }
  }

  public func uninstall() async {
    try? await perform { loop in loop.dataplane = nil }
  }

  public func add(_ port: PortDescription) async throws -> PortID {
    try await perform { try $0.add(port) }
  }

  public func remove(_ name: String) async throws {
    try await perform { try $0.remove(name) }
  }

  public func ports() async -> [PortStatus] {
    (try? await perform { loop in loop.ports.compactMap { $0?.status } }) ?? []
  }

  public func inject(_ frame: [UInt8]) async throws {
    try await perform { try $0.inject(frame) }
  }

  public func framesForController() -> AsyncStream<[UInt8]> {
    let (stream, continuation) = AsyncStream<[UInt8]>.makeStream(
      bufferingPolicy: .bufferingNewest(256))
    queue.add { loop in
      guard let loop else { return continuation.finish() }
      loop.toController = { continuation.yield($0) }
    }
    return stream
  }

  /// Ends the thread. TAPs stay for the next process; what others still ask for fails.
  public func stop() async {
    _ = try? await perform { loop in loop.stop() }
  }
}
