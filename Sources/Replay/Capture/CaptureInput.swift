import Core

/// A capture and the port its frames come in on: `--in PORT=FILE`.
public struct CaptureInput: Hashable, Sendable {
  public var port: PortID
  public var path: String

  public init(port: PortID, path: String) {
    self.port = port
    self.path = path
  }

  /// Reads `PORT=FILE`, or returns nil when it is not of that form.
  public init?(_ text: String) {
    guard let equals = text.firstIndex(of: "=") else { return nil }
    let digits = text[..<equals]
    let path = text[text.index(after: equals)...]
    guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = PortID(digits),
      port < FrameBatch.dropBit, !path.isEmpty
    else { return nil }
    self.init(port: port, path: String(path))
  }
}
