import Replay

/// Captures, in both formats that are read.
private struct CaptureFile {
  private let file = InputFile()

  func parse(_ bytes: [UInt8]) -> Bool {
    file.write(bytes)
    do throws(ReplayError) {
      let reader = try CaptureReader(path: file.path)
      var total = 0
      while let frame = try reader.next() { total += frame.bytes.count }
      precondition(total <= bytes.count, "frames hold more than their file")
      return true
    } catch {
      precondition(!error.description.isEmpty)
      return false
    }
  }
}

public struct PcapParser: OutsideParser {
  public static let name = "pcap"
  private let file = CaptureFile()
  public init() {}

  public static func seeds(root: String) throws -> [[UInt8]] {
    try Seeds.files(root: root, suffix: ".pcap")
  }

  public func parse(_ bytes: [UInt8]) -> Bool { file.parse(bytes) }
}

public struct PcapngParser: OutsideParser {
  public static let name = "pcapng"
  private let file = CaptureFile()
  public init() {}

  public static func seeds(root: String) throws -> [[UInt8]] {
    try Seeds.files(root: root, suffix: ".pcapng")
  }

  public func parse(_ bytes: [UInt8]) -> Bool { file.parse(bytes) }
}
