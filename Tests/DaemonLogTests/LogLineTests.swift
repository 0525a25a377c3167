import Foundation
import Logging
import Testing

@testable import DaemonLog

/// One event as text and as JSON.
@Suite struct LogLineTests {
  private static let time = timespec(tv_sec: 1_769_903_999, tv_nsec: 7_654_321)

  private func line(
    _ message: String, _ metadata: Logger.Metadata = [:], module: String = "cni",
    level: Logger.Level = .notice
  ) -> LogLine {
    LogLine(Self.time, level, program: "infraagent", module: module, message, metadata)
  }

  private func text(_ line: LogLine) -> String {
    String(decoding: line.bytes(.text), as: UTF8.self)
  }

  private func json(_ line: LogLine) throws -> [String: String] {
    let bytes = line.bytes(.json)
    #expect(bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1 && bytes.last == 10)
    return try #require(
      try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: String])
  }

  @Test func bothHaveTheSameFields() throws {
    let line = line("pod added", ["pod": "a b", "ip": "10.244.0.2", "empty": ""])
    #expect(
      text(line)
        == "2026-01-31T23:59:59.007Z notice   infraagent/cni: pod added empty=\"\" "
        + "ip=10.244.0.2 pod=\"a b\"\n")
    #expect(
      try json(line) == [
        "time": "2026-01-31T23:59:59.007Z", "level": "notice", "program": "infraagent",
        "module": "cni", "message": "pod added", "pod": "a b", "ip": "10.244.0.2", "empty": "",
      ])
  }

  @Test func whatConcernsTheWholeProgramHasNoModule() throws {
    let line = line("stopped", module: "infraagent", level: .info)
    #expect(text(line) == "2026-01-31T23:59:59.007Z info     infraagent: stopped\n")
    #expect(try json(line)["module"] == nil)
  }

  /// Whatever a request brings, a line stays one and says of itself what is so.
  @Test(arguments: [
    "a\nb", "a\r\nb", "\u{1b}[31mred", "\u{0}", "\u{7f}", "\u{85}", "\u{2028}", "\u{202e}txt.exe",
    "\u{200b}", "quote\" back\\slash", "a=b", "tab\there", "日本語 ok",
    "2026-01-31T23:59:59.007Z error infraagent: forged",
  ])
  func nothingForgesALine(_ hostile: String) throws {
    let line = line(hostile, ["value": "\(hostile)"])
    let shown = text(line)
    #expect(shown.utf8.filter { $0 == 10 }.count == 1)
    #expect(
      shown.dropLast().unicodeScalars.allSatisfy {
        switch $0.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
      })
    #expect(shown.hasPrefix("2026-01-31T23:59:59.007Z notice   infraagent/cni: "))
    let object = try json(line)
    #expect(object["message"] == hostile)
    #expect(object["value"] == hostile)
  }

  @Test func aFieldNeverTakesThePlaceOfAnother() throws {
    let object = try json(line("m", ["level": "debug", "time": "now", "message": "x"]))
    #expect(object["level"] == "notice" && object["level_"] == "debug")
    #expect(object["time_"] == "now" && object["message"] == "m" && object["message_"] == "x")
  }

  @Test func longOnesAreCutOff() throws {
    // Of two bytes each, so that one would be cut through.
    let long = "x" + String(repeating: "é", count: 5000)
    let object = try json(line(long, ["value": "\(long)"]))
    for key in ["message", "value"] {
      let value = try #require(object[key])
      #expect(value.hasSuffix("… (5905 bytes more)"), "\(value.suffix(40))")
      #expect(value.hasPrefix("xé") && !value.contains("\u{fffd}"))
    }
    #expect(line(long).bytes(.text).count < 5000)
  }

  @Test(arguments: [
    "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\nabcdef==\n-----END PRIVATE KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIGHAgEA cut off",
    "client-key-data: LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IY0NBUUVF",
    "https://admin:MIGHAgEA@10.0.0.1:6443/api", "https://MIGHAgEA@10.0.0.1/",
    "Authorization: Bearer MIGHAgEA-abc.def", "authorization: bearer eyJhbGciOi.eyJzdWIi.MIGHAgEA",
    "token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ.MIGHAgEA", "password=MIGHAgEA1", "token: MIGHAgEA1",
    "\"secret\": \"MIGHAgEA1\"",
  ])
  func secretsAreTakenOut(_ secret: String) throws {
    let line = line("refused: \(secret) by the server", ["reason": "it said \(secret)"])
    for shown in [text(line), String(decoding: line.bytes(.json), as: UTF8.self)] {
      #expect(shown.contains("(redacted)"))
      #expect(!shown.contains("MIGHAgEA"), "\(shown)")
      #expect(!shown.contains("LS0tLS1CRUdJ") && !shown.contains("eyJ"), "\(shown)")
    }
    #expect(text(line).contains("refused: "))
  }

  @Test(arguments: [
    "https://10.0.0.1:6443/api/v1/services", "unix:/run/infrap4d.sock", "host@node",
    "the token has expired", "10.96.0.80:80 → 10.244.0.7:8080",
    "/usr/share/stratum/certs/client.key: is not the key of client.crt",
  ])
  func whatIsNoSecretStays(_ harmless: String) {
    #expect(Redaction.apply(to: harmless) == harmless)
  }
}
