#if PARSER_FUZZ
  import Foundation
  import Parsers

  /// libFuzzer brings a main of its own and reads its arguments; `PARSER` names the parser.
  private let name = ProcessInfo.processInfo.environment["PARSER"] ?? ""

  // libFuzzer runs on one thread.
  nonisolated(unsafe) private var parser: any OutsideParser = {
    guard let type = OutsideParsers.named(name), let parser = try? type.init() else {
      fatalError("PARSER=\(name) is none of \(OutsideParsers.names)")
    }
    return parser
  }()

  /// One input (LLVM, "libFuzzer: Fuzz Target").
  @_cdecl("LLVMFuzzerTestOneInput")
  public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    _ = parser.parse(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  }
#endif
