import Foundation
import NodeTesting
import Synchronization

/// Pods that come and go all the time, as a container runtime has them: each with a namespace
/// of its own, which now and then is gone before DEL; an ADD that fails is followed by DEL, and
/// DEL is tried until it succeeds.
public final class PodChurn: Sendable {
  public struct Result: Sendable, CustomStringConvertible {
    public internal(set) var pods = 0
    /// ADDs and DELs that failed while something was being disturbed.
    public internal(set) var excused = 0
    /// What should not have been.
    public internal(set) var wrong: [String] = []
    public var description: String {
      "\(pods) pods came and went, \(excused) calls failed and were repeated"
    }
  }

  private struct Failure {
    var what: String
    var time: ClosedRange<ContinuousClock.Instant>
  }

  private struct State {
    var isStopped = false
    var pods = 0
    var failures: [Failure] = []
    var disturbances: [ClosedRange<ContinuousClock.Instant>] = []
    var wrong: [String] = []
  }

  private let node: ClusterNode
  private let target: TestPod?
  private let state = Mutex(State())
  private let task = Mutex<Task<Void, any Error>?>(nil)

  /// Starts.
  ///
  /// - Parameters:
  ///   - target: what each pod must reach once its ADD has succeeded.
  ///   - pods: of each worker at most.
  public init(
    on node: ClusterNode, workers: Int, reaching target: TestPod? = nil, seed: UInt64,
    pods: Int = .max
  ) {
    self.node = node
    self.target = target
    let started = Task {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<workers {
          group.addTask { try await self.work(Chance(seed: seed &+ UInt64(worker)), pods) }
        }
        try await group.waitForAll()
      }
    }
    task.withLock { $0 = started }
  }

  /// What happens in the meantime may make calls fail, if that is a disturbance.
  public func disturb(_ isOne: Bool = true, _ body: () async throws -> Void) async throws {
    let begin = ContinuousClock.now
    defer { if isOne { state.withLock { $0.disturbances.append(begin ... .now) } } }
    try await body()
  }

  /// Waits until the last pod is gone.
  ///
  /// - Parameter now: false waits for all the pods that were to come.
  public func finish(now: Bool = true) async throws -> Result {
    if now { state.withLock { $0.isStopped = true } }
    try await task.withLock(\.self)?.value
    return state.withLock { state in
      var result = Result(pods: state.pods, wrong: state.wrong)
      for failure in state.failures {
        if state.disturbances.contains(where: { $0.overlaps(failure.time) }) {
          result.excused += 1
        } else {
          result.wrong.append(failure.what)
        }
      }
      return result
    }
  }

  private func work(_ chance: Chance, _ pods: Int) async throws {
    var chance = chance
    for _ in 0..<pods {
      if state.withLock(\.isStopped) { return }
      try await live(vanishes: Int.random(in: 0..<4, using: &chance) == 0)
      state.withLock { $0.pods += 1 }
    }
  }

  /// The life of a pod.
  private func live(vanishes: Bool) async throws {
    let namespace = try await NetworkNamespace("pod")
    if try await call("ADD", namespace), let target {
      let ping = try await Command.run(
        namespace.command(["ping", "-c", "1", "-W", "10", target.ip]))
      if ping.status != 0 { wrong("ADD succeeded, and \(target.ip) is not reached: \(ping)") }
    }
    if vanishes { try await Command.check("ip", "netns", "del", namespace.name) }
    let end = ContinuousClock.now + .seconds(60)
    while try await !call("DEL", namespace) {
      guard .now < end else { return wrong("DEL does not succeed") }
      try await Task.sleep(for: .milliseconds(50))
    }
    guard !vanishes else { return }
    let links = try await namespace.exec("ip", "-o", "link").split(separator: "\n")
    if links.count != 1 { wrong("DEL has left in the pod: \(links)") }
  }

  private func wrong(_ what: String) { state.withLock { $0.wrong.append(what) } }

  private func call(_ command: String, _ namespace: NetworkNamespace) async throws -> Bool {
    let begin = ContinuousClock.now
    let outcome = try await node.cni(
      command, namespace.name, netns: "/run/netns/\(namespace.name)")
    guard outcome.status != 0 else { return true }
    state.withLock {
      $0.failures.append(
        Failure(what: "\(command) of \(namespace.name): \(outcome)", time: begin ... .now))
    }
    return false
  }
}
