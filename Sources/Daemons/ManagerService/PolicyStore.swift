import InfraProtos
import SwiftProtobuf
import Synchronization

/// What Calico has said of policies, endpoints and routes: kept, not enforced yet.
public final class PolicyStore: Sendable {
  /// kind → id → the message.
  private let messages = Mutex<[String: [String: any Message]]>([:])

  public init() {}

  func keep(_ kind: String, _ id: some Message, _ message: any Message) {
    messages.withLock { $0[kind, default: [:]][id.textFormatString()] = message }
  }

  func forget(_ kind: String, _ id: some Message) {
    messages.withLock { $0[kind]?[id.textFormatString()] = nil }
  }

  func change<M: Message>(
    _ kind: String, _ id: some Message, _ body: (inout M) -> Void
  ) {
    messages.withLock { all in
      guard var message = all[kind]?[id.textFormatString()] as? M else { return }
      body(&message)
      all[kind]?[id.textFormatString()] = message
    }
  }

  /// kind → how many.
  public var counts: [String: Int] { messages.withLock { $0.mapValues(\.count) } }
}
