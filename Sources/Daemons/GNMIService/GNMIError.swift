import Core
import GRPCCore

/// Why a request is refused. Nothing of it has taken effect.
struct GNMIError: Error, Equatable {
  var code: RPCError.Code
  /// What is wrong and what to do, in one line.
  var message: String

  init(_ code: RPCError.Code, _ message: String) {
    self.code = code
    self.message = message
  }

  init(_ error: DataplaneError) {
    let code: RPCError.Code =
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

  /// Any error, as what a caller is told.
  init(_ error: any Error) {
    switch error {
    case let error as GNMIError: self = error
    case let error as DataplaneError: self.init(error)
    case let error as RPCError: self.init(error.code, error.message)
    default: self.init(.internalError, "\(error)")
    }
  }
}

extension RPCError {
  init(_ error: GNMIError) { self.init(code: error.code, message: error.message) }
}

extension String {
  /// The text as an error message quotes it: it came from a client and may be long.
  var quoted: String {
    let longest = 120
    let text = count > longest ? prefix(longest) + "…" : self[...]
    return "\"\(text)\""
  }
}
