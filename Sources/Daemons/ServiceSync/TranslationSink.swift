import Core

/// The Infra Manager, as far as Services are concerned. Both calls may be repeated.
public protocol TranslationSink: Sendable {
  /// Sets all endpoints of a Service port, in place of those it had.
  func put(_ translation: Translation) async throws

  /// Forgets a Service port; one that is not known is no error.
  func remove(_ service: ServiceAddress) async throws
}
