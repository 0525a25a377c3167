/// tshark, which reads captures as their readers will.
public enum Wireshark {
  public static let missing: String? =
    (try? Command.runNow(["which", "tshark"]))?.status == 0
    ? nil : "not installed: tshark (Debian's package of that name)"

  /// Some fields of each packet of a file, with checksums verified.
  public static func fields(_ file: String, _ names: String...) async throws -> [[String]] {
    let command =
      [
        "sh", "-c", "exec \"$@\" 2> /dev/null", "sh", "tshark", "-n", "-r", file, "-T", "fields",
        "-E", "separator=/t", "-o", "tcp.check_checksum:TRUE",
      ]
      + names.flatMap { ["-e", $0] }
    let outcome = try await Command.run(command)
    guard outcome.status == 0 else { throw Command.Failed(command: command, outcome: outcome) }
    return outcome.output.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }
}
