import Core

/// The Infra Manager, as far as Services are concerned. Whatever is asked may be asked again.
public protocol TranslationSink: Sendable {
  /// Makes changes, each of another Service port, and returns when packets follow them.
  ///
  /// - Returns: why some were not made, by their index.
  func make(_ changes: [TranslationChange]) async -> [Int: any Error]
}

/// What the Infra Manager is told of one Service port.
public enum TranslationChange: Hashable, Sendable {
  /// All endpoints, in place of those it had.
  case put(Translation)
  /// It is none any more; one that is not known is no error.
  case remove(ServiceAddress)

  public var service: ServiceAddress {
    switch self {
    case .put(let translation): translation.service
    case .remove(let service): service
    }
  }
}
