/// Settings that are more than text.
extension Configuration {
  /// Where a server is, or is to be.
  public enum Endpoint: Hashable, Sendable {
    case tcp(host: String, port: Int)
    case unix(path: String)
  }

  public func flag(_ setting: String) throws(ConfigurationError) -> Bool {
    switch self[setting].lowercased() {
    case "true": true
    case "false": false
    default: throw ConfigurationError(setting, "is \(self[setting]); give true or false")
    }
  }

  public func number(
    _ setting: String, in range: ClosedRange<UInt64>
  ) throws(ConfigurationError) -> UInt64 {
    guard let number = UInt64(self[setting]), range.contains(number) else {
      let most = range.upperBound == .max ? "\(range.lowerBound) or above" : "\(range)"
      throw ConfigurationError(setting, "is \(self[setting]); give \(most)")
    }
    return number
  }

  public func endpoint(_ setting: String) throws(ConfigurationError) -> Endpoint {
    let text = self[setting]
    if text.hasPrefix("unix:/") { return .unix(path: String(text.dropFirst(5))) }
    guard let colon = text.lastIndex(of: ":"), colon > text.startIndex,
      let port = UInt16(text[text.index(after: colon)...]), port > 0
    else {
      throw ConfigurationError(setting, "\(text) is no address; give HOST:PORT or unix:PATH")
    }
    return .tcp(host: String(text[..<colon]), port: Int(port))
  }

  /// The addresses of a list with commas; empty text is an empty list.
  public func list(_ setting: String) -> [String] {
    self[setting].split(separator: ",").map { String($0.trimmingPrefix { $0 == " " }) }
  }
}
