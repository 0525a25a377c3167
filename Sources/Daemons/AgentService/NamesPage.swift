import Foundation
import HTTPServing

/// `/names.json`: what Kubernetes calls the addresses that infrap4d's page shows. That page
/// asks for it, from the browser; only readers on the node get an answer.
public struct NamesPage: Codable, Hashable, Sendable {
  /// Address → namespace and name.
  public var pods: [String: String]
  /// `ADDRESS:PORT/TCP` → namespace and name.
  public var services: [String: String]

  public init(pods: [String: String], services: [String: String]) {
    self.pods = pods
    self.services = services
  }

  public func answer(_ request: HTTPRequest) -> HTTPAnswer {
    guard request.isLocal else {
      return .text("names are told on this node only: ask 127.0.0.1", .forbidden)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Dictionaries of text are always encoded.
    let text = (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    var answer = HTTPAnswer.json(text)
    if let origin = request.origin, request.isFromLocalPage { answer.readers = origin }
    return answer
  }
}
