import Core
import Infrap4dDataplane
import Replay

extension DataplaneFactory {
  /// What a name of a live dataplane begins with.
  private static let scheme = "infrap4d:"

  /// Adds the live dataplanes among names: `infrap4d:HOST:PORT` or `infrap4d:unix:PATH`.
  ///
  /// - Parameters:
  ///   - security: of TCP connections.
  ///   - start: starts the one live dataplane anew whenever it is made; a line for the shell
  ///     that ends in the server itself.
  /// - Throws: for addresses that are none, and for a command without its one server.
  public func adding(
    live names: [String], security: Infrap4dOptions.Security, start: String? = nil
  ) throws(ReplayError) -> DataplaneFactory {
    var factory = self
    let live = Set(names).filter { $0.hasPrefix(Self.scheme) }
    if let start, live.count != 1 {
      throw ReplayError(
        "--start \(start)", "starts one infrap4d:ADDRESS; \(live.count) are named")
    }
    for name in live.sorted() {
      let server = LiveServer(try Self.options(name, security: security), start: start)
      factory.recipes.append(
        Recipe(name: name) { (_) throws(ReplayError) in
          do throws(DataplaneError) { return try server.load(name: name) } catch {
            throw ReplayError(error, dataplane: name)
          }
        })
    }
    return factory
  }

  static func options(
    _ name: String, security: Infrap4dOptions.Security
  ) throws(ReplayError) -> Infrap4dOptions {
    var options = Infrap4dOptions()
    options.address = try address(name)
    options.security = security
    return options
  }

  private static func address(_ name: String) throws(ReplayError) -> Infrap4dOptions.Address {
    let text = name.hasPrefix(scheme) ? name.dropFirst(scheme.count) : ""
    if text.hasPrefix("unix:/") { return .unix(path: String(text.dropFirst(5))) }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      colon != text.startIndex
    else {
      throw ReplayError(
        "dataplane \(name)", "give infrap4d:HOST:PORT or infrap4d:unix:PATH, with a whole path")
    }
    return .tcp(host: String(text[..<colon]), port: Int(port))
  }
}
