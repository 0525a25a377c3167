import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import Serving

/// How the node's agent is. It is asked every few seconds, so that who looks at the node waits
/// for nobody.
actor AgentWatch {
  enum Standing: Hashable, Sendable {
    case notAsked
    /// It has never answered, and nobody said that it is there.
    case neverSeen
    case well
    /// These of its conditions are not met.
    case unwell([String])
    /// It does not answer.
    case silent(String)
  }

  /// Whom to ask.
  struct Agent: Hashable, Sendable {
    var address: ListenAddress
    /// Whether it is missed when it has never answered.
    var isExpected: Bool
  }

  private static let pause = Duration.seconds(2)
  /// For an answer on this machine.
  private static let patience = Duration.seconds(2)
  /// Bytes of an answer at most.
  private static let longest = 1 << 20
  /// One that restarts is not missed.
  private static let misses = 3

  private let agent: Agent?
  private var missed = 0
  private(set) var standing: Standing

  /// - Parameter agent: nil asks nobody.
  init(_ agent: Agent?) {
    self.agent = agent
    standing =
      agent.map { $0.isExpected ? .silent("\($0.address)") : .neverSeen } ?? .notAsked
  }

  /// Asks until the task is cancelled.
  func follow() async {
    guard let agent else { return }
    while !Task.isCancelled {
      await ask(agent)
      try? await Task.sleep(for: Self.pause)
    }
  }

  private func ask(_ agent: Agent) async {
    if let conditions = try? await Self.conditions(at: agent.address) {
      missed = 0
      let unmet = conditions.filter { !$0.value }.keys.sorted()
      standing = unmet.isEmpty ? .well : .unwell(unmet)
    } else if standing != .neverSeen {
      missed += 1
      if missed >= Self.misses { standing = .silent("\(agent.address)") }
    }
  }

  private static func conditions(at address: ListenAddress) async throws -> [String: Bool] {
    let request = HTTPClientRequest(url: url(address))
    let answer = try await HTTPClient.shared.execute(request, timeout: TimeAmount(patience))
    let body = try await answer.body.collect(upTo: longest)
    return try JSONDecoder().decode([String: Bool].self, from: body)
  }

  private static func url(_ address: ListenAddress) -> String {
    switch address {
    case .ipv4(let host, let port): "http://\(host):\(port)/check"
    case .ipv6(let host, let port): "http://[\(host)]:\(port)/check"
    case .unix(let path): URL(httpURLWithSocketPath: path, uri: "/check")?.absoluteString ?? ""
    }
  }
}

extension AgentWatch.Standing {
  /// What is wrong with it, in words.
  var trouble: String? {
    switch self {
    case .notAsked, .neverSeen, .well: nil
    case .unwell(let conditions):
      "infraagent can connect no pods: not met: \(conditions.joined(separator: ", "))"
    case .silent(let address):
      "infraagent does not answer at \(address): no pod can be connected"
    }
  }

  /// For the page.
  var name: String {
    switch self {
    case .notAsked: "not asked"
    case .neverSeen: "never seen"
    case .well: "well"
    case .unwell: "unwell"
    case .silent: "silent"
    }
  }
}
