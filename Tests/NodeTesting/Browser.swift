import Foundation

/// Chromium without a window.
public enum Browser {
  public static let missing: String? =
    (try? Command.runNow(["which", "chromium"]))?.status == 0
    ? nil : "not installed: chromium (Debian's package of that name)"

  /// The document after the page has asked two hundred times, which takes no such time: its
  /// clock goes on whenever nothing is under way.
  ///
  /// - Parameters:
  ///   - picture: where to put a picture of it as well.
  ///   - isDark: what the reader prefers.
  ///   - namespace: where it runs; nil is the namespace of the tests.
  public static func open(
    _ address: String, picture: String? = nil, isDark: Bool = false,
    in namespace: NetworkNamespace? = nil
  ) async throws -> String {
    let profile = NSTemporaryDirectory() + "chromium-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: profile) }
    let options = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--no-first-run", "--disable-background-networking", "--user-data-dir=\(profile)",
      "--window-size=1320,1180", "--virtual-time-budget=200000",
      "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
    ]
    // Its own complaints are not part of the document.
    func run(_ more: String) async throws -> String {
      let command =
        ["sh", "-c", "exec \"$@\" 2> /dev/null", "sh", "timeout", "60", "chromium"] + options
        + [more, address]
      return try await Command.run(namespace?.command(command) ?? command).output
    }
    if let picture { _ = try await run("--screenshot=\(picture)") }
    return try await run("--dump-dom")
  }
}
