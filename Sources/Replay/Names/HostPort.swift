/// `HOST` or `HOST:PORT`, as people write them.
public enum HostPort {
  public static func split(_ text: String) throws(ReplayError) -> (host: String, port: UInt16?) {
    guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
    guard let port = UInt16(text[text.index(after: colon)...]), port > 0, colon != text.startIndex
    else { throw ReplayError(text, "ends with a colon and a port, 1 to 65535, if it has a colon") }
    return (String(text[..<colon]), port)
  }
}
