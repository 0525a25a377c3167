import Certificates
import Foundation
import Infrap4dDataplane

/// The flags: `-name=value`, `--name value`, `--switch`, `--noswitch`, anywhere.
struct Options {
  var address = "localhost:9339"
  /// Milliseconds between samples.
  var interval: UInt64 = 5000
  var replace = false
  var getType = "ALL"
  var insecure = false
  var authority = folder + "ca.crt"
  var certificate = folder + "client.crt"
  var key = folder + "client.key"
  var help = false
  var version = false

  private static let folder = "/usr/share/stratum/certs/"

  static let usage = """
    usage: gnmi-ctl [flags] {get,set,del,cap,sub-onchange,sub-sample} "PARAMETERS"

    PARAMETERS is device:virtual-device,name:NAME and then
      set           key:value,…   one Set for each, in this order
      get           key           such as tdi-portin-id or counters; nothing is everything
      del           key or /path  nothing is the device
      sub-onchange  key or /path  nothing is the device
      sub-sample    key or /path  nothing is the device
    device:physical-device is an interface that is there already.

    flags:
      --grpc_addr=localhost:9339    HOST:PORT or unix:PATH
      --grpc_use_insecure_mode      no TLS
      --ca_cert_file --client_cert_file --client_key_file
                                    /usr/share/stratum/certs/{ca.crt,client.crt,client.key}
      --interval=5000               milliseconds between samples
      --replace                     replace instead of update
      --get_type=ALL                ALL, CONFIG, STATE or OPERATIONAL
      --version                     of this program

    The exit code is 0, or the number of the error in gRPC.
    """

  /// Flags of a server or of a log, which scripts give and which mean nothing here.
  private static let ignored: Set<String> = [
    "server_key_file", "server_cert_file", "log_dir", "logtostderr", "alsologtostderr",
    "stderrthreshold", "minloglevel", "v", "colorlogtostderr",
  ]
  private static let switches: Set<String> = [
    "replace", "grpc_use_insecure_mode", "help", "version", "logtostderr", "alsologtostderr",
    "colorlogtostderr",
  ]

  /// - Returns: the words that are no flags.
  mutating func parse(_ arguments: [String]) throws -> [String] {
    var words: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" { return words + rest }
      guard argument.hasPrefix("-"), argument.count > 1 else {
        words.append(argument)
        continue
      }
      let text = argument.drop { $0 == "-" }
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if parts.count == 2 {
        try set(name, String(parts[1]))
      } else if Self.switches.contains(name) {
        try set(name, "true")
      } else if name.hasPrefix("no"), Self.switches.contains(String(name.dropFirst(2))) {
        try set(String(name.dropFirst(2)), "false")
      } else {
        guard let value = rest.popFirst() else {
          throw UsageError(reason: "flag --\(name) needs a value")
        }
        try set(name, value)
      }
    }
    return words
  }

  private mutating func set(_ name: String, _ value: String) throws {
    switch name {
    case "grpc_addr": address = value
    case "interval":
      guard let number = UInt64(value), (1...86_400_000).contains(number) else {
        throw UsageError(reason: "--interval is 1 to 86400000 ms")
      }
      interval = number
    case "get_type": getType = value
    case "ca_cert_file": authority = value
    case "client_cert_file": certificate = value
    case "client_key_file": key = value
    case "replace": replace = try Self.bool(name, value)
    case "grpc_use_insecure_mode": insecure = try Self.bool(name, value)
    case "version": version = try Self.bool(name, value)
    case "help": help = try Self.bool(name, value)
    default:
      guard Self.ignored.contains(name) else { throw UsageError(reason: "no flag --\(name)") }
    }
  }

  private static func bool(_ name: String, _ value: String) throws -> Bool {
    switch value.lowercased() {
    case "true", "t", "yes", "y", "1": true
    case "false", "f", "no", "n", "0": false
    default: throw UsageError(reason: "--\(name) is true or false")
    }
  }

  /// Where the server is, and how it is connected to.
  func server() throws -> Infrap4dOptions {
    var server = Infrap4dOptions()
    server.security =
      insecure
      ? .plaintext
      : .certificates(
        CertificateFiles(
          authority: .ofAClient(authority, setting: "--ca_cert_file"),
          certificate: .ofAClient(certificate, setting: "--client_cert_file"),
          key: .ofAClient(key, setting: "--client_key_file")))
    if address.hasPrefix("unix:") {
      server.address = .unix(path: String(address.dropFirst(5)))
      return server
    }
    guard let colon = address.lastIndex(of: ":"),
      let port = Int(address[address.index(after: colon)...]), (1...65_535).contains(port)
    else { throw UsageError(reason: "--grpc_addr is HOST:PORT or unix:PATH") }
    let host = address[..<colon].trimmingCharacters(in: ["[", "]"])
    server.address = .tcp(host: host, port: port)
    return server
  }
}
