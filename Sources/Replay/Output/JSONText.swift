import Foundation

/// JSON for files and for `--json`: sorted keys, two spaces, a newline at the end.
public enum JSONText {
  public static func encode(_ value: some Encodable) throws(ReplayError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n" } catch {
      throw ReplayError("JSON", "cannot be written (\(error))")
    }
  }
}

extension JSONText {
  /// JSON on one line, for output that goes on.
  public static func line(_ value: some Encodable) throws(ReplayError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
      throw ReplayError("JSON", "cannot be written (\(error))")
    }
  }
}
