import Core

/// What the files of a snapshot are called, and their lines.
public enum SnapshotText {
  public static let state = "state.yaml"
  public static let tables = "tables.txt"
  public static let flows = "flows.txt"
  public static let updates = "updates.txt"

  public static var tablesHeader: String { SnapshotFiles.header(SnapshotFiles.tablesKind) }

  public static func flowsHeader(hertz: UInt64, cycles: UInt64) -> String {
    SnapshotFiles.header(SnapshotFiles.flowsKind, " hertz \(hertz) cycles \(cycles)")
  }

  public static var updatesHeader: String { SnapshotFiles.header(SnapshotFiles.updatesKind) }

  public static func line(_ entry: TableEntry) -> String { SnapshotFiles.line(entry) }

  public static func line(_ entry: LearnedEntry) -> String { SnapshotFiles.line(entry) }

  /// - Returns: nil for what k8s_dp has not.
  public static func line(_ update: Update) -> String? { SnapshotFiles.line(update) }

  /// The last line.
  public static func end(_ lines: Int) -> String { "\(WordFile.end) \(lines)\n" }

  /// Whether a frame that was dropped for this reason went through the pipeline, and was dropped
  /// by the host behind it.
  public static func isOfHost(_ reason: String) -> Bool {
    [DropReason.badPort, .badOffload].contains { $0.name == reason }
  }

  /// - Parameters:
  ///   - moment: nanoseconds since 1970.
  ///   - engine: for a comment.
  public static func stateFile(
    moment: UInt64, engine: String, timers: [K8sDP.Timer: UInt32], hasUpdates: Bool,
    names: NameBook
  ) -> String {
    var text = """
      # What a node with infrap4d --dataplane \(engine) had; k8sdp replay, trace, compare and why take it.
      apiVersion: \(StateFileDecoder.apiVersion)
      moment: \(moment)
      tables: \(tables)
      flows: \(flows)

      """
    if hasUpdates { text += "updates: \(updates)\n" }
    let timers = timers.sorted { $0.key.rawValue < $1.key.rawValue }
    text +=
      "timers: {"
      + timers.map { "\($0.key.name): \($0.value)" }.joined(separator: ", ") + "}\n"
    guard !names.addresses.isEmpty || !names.services.isEmpty else { return text }
    text += "names:\n"
    text += section("pods", names.addresses) + section("services", names.services)
    return text
  }

  private static func section(_ title: String, _ names: [UInt32: String]) -> String {
    guard !names.isEmpty else { return "" }
    return "  \(title):\n"
      + names.sorted { $0.key < $1.key }.map { address, name in
        "    \(IPv4Address(address)): \(quoted(name))\n"
      }.joined()
  }

  /// A YAML scalar in double quotes.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for character in text {
      if character == "\"" || character == "\\" { quoted.append("\\") }
      quoted.append(character)
    }
    return quoted + "\""
  }
}
