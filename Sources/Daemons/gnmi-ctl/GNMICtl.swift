import Certificates
import Core
import Foundation
import GNMIProtos
import GRPCCore
import GRPCNIOTransportHTTP2
import Infrap4dDataplane

/// The program. Flags and parameters are those of the tool of the same name that comes
/// with the P4 control plane, so that its scripts keep working.
@main
struct GNMICtl {
  static func main() async {
    var options = Options()
    do {
      let words = try options.parse(Array(CommandLine.arguments.dropFirst()))
      guard !options.help else {
        say(Options.usage)
        return
      }
      guard !options.version else { return say(Release.version) }
      try await run(Command(words), options)
    } catch let error as UsageError {
      fail("\(error.reason)\n\(Options.usage)", code: .invalidArgument)
    } catch let error as CertificateError {
      fail("\(error)", code: .invalidArgument)
    } catch {
      if let failure = error as? ConnectionFailure ?? ConnectionFailure(error) {
        fail("infrap4d is not reached at \(options.address): \(failure)", code: .unavailable)
      }
      guard let error = error as? RPCError else { fail("\(error)", code: .unknown) }
      // An error of the transport has its reason inside.
      let reason = error.cause.map { ": \($0)" } ?? ""
      fail("\(error.code): \(error.message)\(reason)", code: error.code)
    }
  }

  private static func run(_ command: Command, _ options: Options) async throws {
    try await withGRPCClient(transport: try options.server().transportNow()) { client in
      try await Session(client: Gnmi_gNMI.Client(wrapping: client), options: options)
        .run(command)
    }
  }

  /// Ends the program with the error's number in gRPC.
  private static func fail(_ message: String, code: RPCError.Code) -> Never {
    try? FileHandle.standardError.write(contentsOf: Data("gnmi-ctl: \(message)\n".utf8))
    exit(Int32(code.rawValue))
  }
}

/// Prints a line at once, also into a pipe. Ends the program when nobody reads it.
func say(_ line: String) {
  do {
    try FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8))
  } catch {
    exit(0)
  }
}

/// A command line that is not understood.
struct UsageError: Error {
  var reason: String
}
