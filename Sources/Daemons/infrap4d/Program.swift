import ArgumentParser
import Dispatch
import Foundation
import Glibc

/// Where the process begins.
@main
enum Program {
  static func main() {
    do {
      let command = try Settings.command()
      try command.prepare()
      Task {
        do { try await command.run() } catch { end(error) }
        exit(0)
      }
    } catch {
      end(error)
    }
    dispatchMain()
  }

  /// As ArgumentParser does it, but bad options end with 2.
  private static func end(_ error: any Error) -> Never {
    guard Infrap4d.exitCode(for: error) == .validationFailure else {
      Infrap4d.exit(withError: error)
    }
    try? FileHandle.standardError.write(
      contentsOf: Data((Infrap4d.fullMessage(for: error) + "\n").utf8))
    Glibc.exit(2)
  }
}
