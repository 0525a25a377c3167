import Core
import Infrap4dDataplane
import Replay

extension DataplaneFactory {
  /// What a name of a live dataplane begins with.
  private static let scheme = "infrap4d:"

  /// Adds the live dataplanes among names: `infrap4d:HOST:PORT`, by mutual TLS, or
  /// `infrap4d:unix:PATH`.
  ///
  /// - Parameter certificates: a folder with `ca.crt`, `client.crt` and `client.key`.
  /// - Throws: for addresses that are none, and without the permission to send frames.
  public func adding(live names: [String], certificates: String) throws(ReplayError)
    -> DataplaneFactory
  {
    var factory = self
    for name in Set(names).sorted() where name.hasPrefix(Self.scheme) {
      let options = try Self.options(name, certificates: certificates)
      let server: LiveServer
      do throws(DataplaneError) { server = try LiveServer(options) } catch {
        throw ReplayError(error, dataplane: name)
      }
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
    _ name: String, certificates: String
  ) throws(ReplayError) -> Infrap4dOptions {
    var options = Infrap4dOptions()
    options.address = try address(name)
    options.security = .mutualTLS(folder: certificates)
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
