/// An error as the CNI specification has it: printed as JSON, with a code.
struct CNIError: Error, Codable, Hashable {
  /// The specification's, up to 99, and this plugin's own.
  enum Code: Int {
    case incompatibleVersion = 1
    case unsupportedField = 2
    case unknownContainer = 3
    case invalidEnvironment = 4
    case ioFailure = 5
    case undecodable = 6
    case invalidConfiguration = 7
    case tryAgainLater = 11
    /// STATUS: an ADD would fail.
    case notAvailable = 50
    /// The agent refused.
    case refused = 100
    /// ADD: the interface is there already.
    case interfaceExists = 101
    /// CHECK: the interface is not as ADD left it.
    case notAsAdded = 102
    /// The IPAM plugin said nothing that can be understood.
    case delegate = 103
  }

  var code: Int
  /// Short.
  var msg: String
  /// What to do, or more about it.
  var details: String?

  init(_ code: Code, _ msg: String, _ details: String? = nil) {
    self.code = code.rawValue
    self.msg = msg
    self.details = details
  }
}
