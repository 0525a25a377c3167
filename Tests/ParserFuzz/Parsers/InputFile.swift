import Foundation

/// A file that holds one input after the other, for parsers that take a path.
final class InputFile {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "/parser-fuzz-" + UUID().uuidString
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ bytes: [UInt8]) {
    do { try Data(bytes).write(to: URL(fileURLWithPath: path)) } catch {
      preconditionFailure("\(path): \(error)")
    }
  }
}
