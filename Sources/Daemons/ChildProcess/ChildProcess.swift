import CChildProcess
import Dispatch
import Foundation
import Synchronization

/// A program that this one has started, by posix_spawn(3).
///
/// Foundation's `Process` is not used: swift-corelibs-foundation 6.3 copies 256 bytes of each name
/// in /proc/self/fd, however short it is, and now and then there is no memory behind it.
public final class ChildProcess: Sendable {
  /// Where one of its standard streams leads.
  public enum Stream: Sendable {
    case inherited
    /// /dev/null.
    case null
    /// A descriptor of this process, which stays open here.
    case descriptor(Int32)

    fileprivate var number: Int32 {
      switch self {
      case .inherited: Int32(CCHILD_INHERITED)
      case .null: Int32(CCHILD_NULL)
      case .descriptor(let descriptor): descriptor
      }
    }
  }

  public enum Ending: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// As a shell tells it: 128 and the signal's number (POSIX, 2.8.2).
    public var status: Int32 {
      switch self {
      case .exited(let status): status
      case .signalled(let signal): 128 + signal
      }
    }
  }

  public let identifier: pid_t
  /// nil as long as it runs: only then is ``identifier`` its own.
  private let end = Mutex<Ending?>(nil)
  private let ended = DispatchGroup()

  /// Starts it. It has no other descriptors of this process, blocks no signals and takes SIGPIPE.
  ///
  /// - Parameters:
  ///   - path: of the program's file; PATH is not looked at.
  ///   - environment: nil is this process's.
  ///   - folder: where it is run; nil is where this process is.
  /// - Throws: ``ChildProcessError``.
  public init(
    _ path: String, _ arguments: [String] = [], environment: [String: String]? = nil,
    folder: String? = nil, input: Stream = .inherited, output: Stream = .inherited,
    error: Stream = .inherited
  ) throws(ChildProcessError) {
    let streams = [input, output, error].map(\.number)
    var pid = pid_t()
    let failure = Self.withStrings([path] + arguments) { arguments in
      guard let environment else {
        return cchild_spawn(&pid, path, arguments, environ, streams, folder)
      }
      return Self.withStrings(environment.map { "\($0.key)=\($0.value)" }) {
        cchild_spawn(&pid, path, arguments, $0, streams, folder)
      }
    }
    guard failure == 0 else { throw ChildProcessError(path: path, code: failure) }
    identifier = pid
    ended.enter()
    reap()
  }

  private func reap() {
    // Its own: there may be more children than the pools have threads.
    Thread.detachNewThread { [self] in
      var info = siginfo_t()
      // It keeps its number until nobody can be about to send it a signal.
      while waitid(P_PID, id_t(identifier), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
      end.withLock { end in
        var status: Int32 = 0
        while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        end = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
      }
      ended.leave()
    }
  }

  private static func withStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  /// nil while it runs.
  public var ending: Ending? { end.withLock(\.self) }
  public var isRunning: Bool { ending == nil }

  /// Sends a signal while it runs.
  public func send(_ signal: Int32) {
    end.withLock { if $0 == nil { kill(identifier, signal) } }
  }

  /// Waits for its end on this thread.
  @discardableResult
  public func wait() -> Ending {
    while true {
      if let ending = wait(until: .distantFuture) { return ending }
    }
  }

  /// Waits for its end on this thread, up to a time.
  ///
  /// - Returns: nil when it still runs.
  public func wait(until time: DispatchTime) -> Ending? {
    _ = ended.wait(timeout: time)
    return ending
  }
}

/// A program could not be started.
public struct ChildProcessError: Error, Hashable, Sendable, CustomStringConvertible {
  public var path: String
  /// errno of posix_spawn(3).
  public var code: Int32

  public init(path: String, code: Int32) {
    self.path = path
    self.code = code
  }

  public var description: String {
    "\(path) cannot be started: \(String(cString: strerror(code)))"
  }
}
