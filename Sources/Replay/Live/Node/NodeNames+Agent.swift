import AsyncHTTPClient
import Core
import Foundation
import NIOCore
import Replay

extension NodeNames {
  /// Where the agent is unless it is told otherwise.
  public static let agent = "127.0.0.1:50096"
  /// An agent that is there answers at once.
  private static let patience = TimeAmount.seconds(2)
  private static let longest = 64 << 20

  /// Asks an agent.
  ///
  /// - Parameter address: `HOST:PORT`.
  public static func ask(_ address: String) async throws(ReplayError) -> NodeNames {
    let data: Data
    let status: UInt
    do {
      // The agent is on this node, or as near as a forwarded port.
      var configuration = HTTPClient.Configuration()
      configuration.timeout.connect = patience
      let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
      defer { Task { try? await http.shutdown() } }
      let request = HTTPClientRequest(url: "http://\(address)/names.json")
      let response = try await http.execute(request, timeout: patience)
      data = Data(try await response.body.collect(upTo: longest).readableBytesView)
      status = response.status.code
    } catch {
      throw ReplayError(
        "agent at \(address)", "does not answer; give --names FILE, another --agent, or -n")
    }
    guard status == 200 else {
      throw ReplayError(
        "agent at \(address)", "answers \(status): it tells names on its own node only")
    }
    return try NodeNames(json: data, from: "agent at \(address)")
  }
}
