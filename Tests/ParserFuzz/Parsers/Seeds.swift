import Foundation

/// Good files of the checkout, small ones, so that the fuzzer is quick.
enum Seeds {
  private static let maximumLength = 4096

  /// Paths of captures.
  static func captures(root: String) throws -> [String] {
    try fixtures(root).filter { path in
      (path.hasSuffix(".pcap") || path.hasSuffix(".pcapng")) && path.contains("/in-port-")
        && length(path) <= maximumLength
    }
  }

  static func files(root: String, suffix: String) throws -> [[UInt8]] {
    try fixtures(root).filter { $0.hasSuffix(suffix) && length($0) <= maximumLength }.map(read)
  }

  static func read(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private static func length(_ path: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.size] as? Int) ?? .max
  }

  private static func fixtures(_ root: String) throws -> [String] {
    let folder = root + "/Fixtures"
    return try FileManager.default.subpathsOfDirectory(atPath: folder).sorted().map {
      folder + "/" + $0
    }
  }
}
