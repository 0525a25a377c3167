/// A parser of bytes that come from outside. It may refuse them; it must neither crash, nor
/// hang, nor take what it later does not understand.
public protocol OutsideParser {
  /// As the command line spells it.
  static var name: String { get }

  /// Good input to start from.
  ///
  /// - Parameter root: the checkout.
  static func seeds(root: String) throws -> [[UInt8]]

  init() throws

  /// Parses; the same bytes always take the same way.
  ///
  /// - Returns: whether it took them.
  mutating func parse(_ bytes: [UInt8]) -> Bool
}

/// Every parser there is.
public enum OutsideParsers {
  public static let all: [any OutsideParser.Type] = [
    FrameParser.self, PcapParser.self, PcapngParser.self, StateFileParser.self, SnapshotParser.self,
    SpecParser.self,
    BundleParser.self, P4InfoParser.self, PipelineConfigParser.self, WriteRequestParser.self,
    RecordLogParser.self,
  ]

  public static var names: String { all.map { $0.name }.joined(separator: ", ") }

  public static func named(_ name: String) -> (any OutsideParser.Type)? {
    all.first { $0.name == name }
  }
}
