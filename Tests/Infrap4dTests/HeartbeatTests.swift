import Core
import HTTPServing
import Hosting
import Testing

@testable import infrap4d

/// `/healthz` of a server whose forwarding thread does nothing any more.
@Suite struct HeartbeatTests {
  /// A host whose thread answers when it is told to.
  private actor Host: DataplaneHost {
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private(set) var asked = 0
    private var isStuck = false

    func stick() { isStuck = true }

    func release() {
      isStuck = false
      for one in waiting { one.resume() }
      waiting = []
    }

    func withDataplane<Result: Sendable>(
      _ body: @escaping @Sendable (any Dataplane) throws -> Result
    ) async throws -> Result {
      asked += 1
      if isStuck { await withCheckedContinuation { waiting.append($0) } }
      throw DataplaneError(.unavailable, "pipeline", "there is none")
    }

    func install(_ make: @escaping @Sendable () throws -> any Dataplane) async throws {}
    nonisolated var now: Timestamp { .zero }
    func sleep(until time: Timestamp) async throws {}
    func uninstall() async {}
  }

  @Test func aThreadThatAnswersNoMoreIsNoticed() async throws {
    let host = Host()
    let heartbeat = Heartbeat(host, pause: .milliseconds(1))
    let following = Task { await heartbeat.follow() }
    // Also without a pipeline.
    while await host.asked < 10 { await Task.yield() }
    let alive = await heartbeat.last
    while await heartbeat.last == alive { await Task.yield() }
    await host.stick()
    var count = await host.asked
    // One that was on its way comes back; the next one does not.
    repeat {
      count = await host.asked
      for _ in 0..<100 { await Task.yield() }
    } while await host.asked != count
    let stuck = await heartbeat.last
    #expect(await heartbeat.silence(at: stuck + .seconds(61)) == .seconds(61))
    await host.release()
    while await heartbeat.last == stuck { await Task.yield() }
    following.cancel()
  }

  @Test func healthz() {
    #expect(NodePages.liveness(.seconds(59)) == .text("ok"))
    let dead = NodePages.liveness(.seconds(75))
    #expect(dead.status == .serviceUnavailable)
    #expect(dead.body.hasPrefix("the thread that forwards frames has not answered for 75 s; "))
  }
}
