/// Why an address cannot be served.
public struct ListenError: Error, CustomStringConvertible {
  public var address: ListenAddress
  public var reason: String
  /// What the address is given by.
  public var setting: String

  public init(address: ListenAddress, reason: String, setting: String = "--listen") {
    self.address = address
    self.reason = reason
    self.setting = setting
  }

  public var description: String {
    reason.contains("in use")
      ? "\(address) is in use; stop the program that has it, or choose another with \(setting)"
      : "cannot listen at \(address): \(reason)"
  }
}
