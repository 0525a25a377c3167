import Foundation
import Replay

/// A folder's files as a tar archive on standard output, for a snapshot that is taken in a
/// container and unpacked elsewhere (POSIX.1-2008, pax: ustar interchange format).
public struct TarArchive {
  private static let block = 512
  /// Eleven octal digits.
  private static let longest = 1 << 33

  private let folder: String

  public init(_ folder: String) { self.folder = folder }

  public func writeToStandardOutput() throws(ReplayError) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []
    for name in names { try write(name) }
    // Two blocks of zeros are the end.
    try put(Data(count: 2 * Self.block))
  }

  private func write(_ name: String) throws(ReplayError) {
    let path = "\(folder)/\(name)"
    guard let file = FileHandle(forReadingAtPath: path), let end = try? file.seekToEnd(),
      end < Self.longest, (try? file.seek(toOffset: 0)) != nil
    else { throw ReplayError(path, "cannot be read") }
    try put(Self.header(name, size: Int(end)))
    while let part = try? file.read(upToCount: 1 << 20), !part.isEmpty { try put(part) }
    let rest = Int(end) % Self.block
    if rest > 0 { try put(Data(count: Self.block - rest)) }
  }

  static func header(_ name: String, size: Int) -> Data {
    var bytes = [UInt8](repeating: 0, count: block)
    func put(_ text: String, at offset: Int) {
      for (index, byte) in text.utf8.enumerated() { bytes[offset + index] = byte }
    }
    func octal(_ value: Int, _ digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    put(String(name.utf8.prefix(99)) ?? "file", at: 0)
    put(octal(0o644, 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    put(octal(size, 11), at: 124)
    put(octal(0, 11), at: 136)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar", at: 257)
    put("00", at: 263)
    let sum = bytes.reduce(0) { $0 + Int($1) }
    put(octal(sum, 6), at: 148)
    bytes[154] = 0
    return Data(bytes)
  }

  private func put(_ data: Data) throws(ReplayError) {
    do { try FileHandle.standardOutput.write(contentsOf: data) } catch {
      throw ReplayError("standard output", "nobody reads it any more")
    }
  }
}
