import Core

extension P4Error {
  /// The same refusal in P4Runtime's terms.
  public init(_ error: DataplaneError) {
    let code: Code =
      switch error.code {
      case .invalidArgument: .invalidArgument
      case .notFound: .notFound
      case .alreadyExists: .alreadyExists
      case .resourceExhausted: .resourceExhausted
      case .outOfRange: .outOfRange
      case .unavailable: .unavailable
      case .unimplemented: .unimplemented
      }
    self.init(code, error.description)
  }
}
