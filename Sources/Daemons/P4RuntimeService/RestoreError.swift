import P4RuntimeCodec

/// Why a pipeline that was kept is not put back.
public enum RestoreError: Error, CustomStringConvertible {
  /// It does not fit together: it is of no use to anybody.
  case inconsistent(P4Error)
  /// It is good, and cannot be had here and now: the dataplane is another one, or too small.
  case refused(P4Error)

  /// - Parameter error: what became of the updates, without any dataplane.
  init(_ error: P4Error) {
    switch error.code {
    case .resourceExhausted, .unimplemented, .unavailable: self = .refused(error)
    default: self = .inconsistent(error)
    }
  }

  public var description: String {
    switch self {
    case .inconsistent(let error), .refused(let error): error.message
    }
  }
}
