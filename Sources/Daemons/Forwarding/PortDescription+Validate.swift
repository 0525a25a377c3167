import Core
import Hosting

extension PortDescription {
  /// - Throws: ``DataplaneError/Code/invalidArgument`` for a name that Linux does not
  ///   take literally, or an MTU out of range.
  func validate() throws(DataplaneError) {
    for name in [name, location?.name].compactMap(\.self) where !Self.isInterfaceName(name) {
      throw DataplaneError(
        .invalidArgument, "port \"\(name)\"",
        "an interface's name is 1 to 15 letters, digits and signs, but no /, :, % or space")
    }
    guard (68...65_535).contains(mtu) else {
      throw DataplaneError(.invalidArgument, "port \(name)", "MTU \(mtu) is not 68...65535")
    }
    if kind == .packet, location != nil {
      throw DataplaneError(.invalidArgument, "port \(name)", "only a TAP has a location")
    }
  }

  private static func isInterfaceName(_ name: String) -> Bool {
    let forbidden = "/:%".utf8
    return (1...15).contains(name.utf8.count) && name != "." && name != ".."
      && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && !forbidden.contains($0) }
  }
}
