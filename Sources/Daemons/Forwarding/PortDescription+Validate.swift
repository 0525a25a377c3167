import Core
import Hosting

extension PortDescription {
  /// - Throws: ``DataplaneError/Code/invalidArgument`` for a name that Linux does not
  ///   take literally, an MTU out of range, a MAC address of a group, or a place that is none.
  func validate() throws(DataplaneError) {
    for name in [name, location?.name, place?.name].compactMap(\.self)
    where !Self.isInterfaceName(name) {
      throw DataplaneError(
        .invalidArgument, "port \"\(name)\"",
        "an interface's name is 1 to 15 letters, digits and signs, but no /, :, % or space")
    }
    guard (68...65_535).contains(mtu) else {
      throw DataplaneError(.invalidArgument, "port \(name)", "MTU \(mtu) is not 68...65535")
    }
    if kind == .packet, location != nil || place != nil || macAddress != nil {
      throw DataplaneError(
        .invalidArgument, "port \(name)",
        "an interface that is there is where it is, with its MAC address; only a TAP is made")
    }
    if let place,
      !place.netns.hasPrefix("/") || place.netns.utf8.count > Self.longestPath
        || place.netns.utf8.contains(0)
    {
      throw DataplaneError(
        .invalidArgument, "port \(name)", "netns is no absolute path of a network namespace")
    }
    if let macAddress, macAddress.isGroup || macAddress == .zero {
      throw DataplaneError(
        .invalidArgument, "port \(name)", "\(macAddress) is no address of one interface")
    }
  }

  /// The kernel's PATH_MAX, without the final zero.
  private static let longestPath = 4095

  private static func isInterfaceName(_ name: String) -> Bool {
    let forbidden = "/:%".utf8
    return (1...15).contains(name.utf8.count) && name != "." && name != ".."
      && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && !forbidden.contains($0) }
  }
}
