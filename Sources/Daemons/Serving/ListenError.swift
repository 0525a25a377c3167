/// Why an address cannot be served.
public struct ListenError: Error, CustomStringConvertible {
  public var address: ListenAddress
  public var reason: String

  public init(address: ListenAddress, reason: String) {
    self.address = address
    self.reason = reason
  }

  public var description: String {
    reason.contains("in use")
      ? "\(address) is in use; stop the program that has it, or choose another with --listen"
      : "cannot listen at \(address): \(reason)"
  }
}
