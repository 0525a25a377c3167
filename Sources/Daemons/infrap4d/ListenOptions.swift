import ArgumentParser
import Serving

/// Where to listen.
struct ListenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Addresses to serve on, each with both services: HOST:PORT, [IPV6]:PORT or unix:PATH.",
      valueName: "address"))
  var listen = ["0.0.0.0:9559", "0.0.0.0:9339"]

  @Option(
    help: ArgumentHelp(
      "The address of the page for browsers, /metrics, /healthz and /readyz, HTTP without TLS; empty: nowhere.",
      valueName: "address"))
  var metricsAddress = "127.0.0.1:9560"

  @Option(
    help: ArgumentHelp(
      "Where infraagent serves /check, which is asked for the health of the node; empty: it is not.",
      discussion: "By default 127.0.0.1:50096, and an agent that has never answered there is not "
        + "missed.",
      valueName: "address"))
  var agentCheck: String?

  @Option(help: "The permissions of Unix sockets, octal.")
  var socketMode = "660"

  @Option(help: "Connections that one address may have at a time.")
  var maxConnections = 1024

  @Option(help: "Megabytes that one request may have.")
  var maxRequest = 64

  func addresses() throws -> [ListenAddress] {
    guard !listen.isEmpty else { throw ValidationError("--listen needs an address") }
    return try listen.map { text in
      guard let address = ListenAddress(text) else {
        throw ValidationError(
          "\(text) is no address: give HOST:PORT, [IPV6]:PORT or unix:PATH")
      }
      return address
    }
  }

  /// - Returns: nil for none.
  func metrics() throws -> ListenAddress? {
    guard !metricsAddress.isEmpty else { return nil }
    guard let address = ListenAddress(metricsAddress) else {
      throw ValidationError(
        "--metrics-address: \(metricsAddress) is no address: give HOST:PORT, [IPV6]:PORT or "
          + "unix:PATH")
    }
    return address
  }

  /// - Returns: nil for none.
  func agent() throws -> AgentWatch.Agent? {
    guard let agentCheck else {
      return .init(address: .ipv4("127.0.0.1", 50096), isExpected: false)
    }
    guard !agentCheck.isEmpty else { return nil }
    guard let address = ListenAddress(agentCheck) else {
      throw ValidationError(
        "--agent-check: \(agentCheck) is no address: give HOST:PORT, [IPV6]:PORT or unix:PATH")
    }
    return .init(address: address, isExpected: true)
  }

  func mode() throws -> UInt32 {
    guard let mode = UInt32(socketMode, radix: 8), mode <= 0o777 else {
      throw ValidationError("--socket-mode is octal, such as 660")
    }
    return mode
  }

  func validate() throws {
    _ = try mode()
    _ = try addresses()
    _ = try metrics()
    _ = try agent()
    guard (1...65_536).contains(maxConnections) else {
      throw ValidationError("--max-connections is 1 to 65536")
    }
    guard (4...256).contains(maxRequest) else {
      throw ValidationError("--max-request is 4 to 256")
    }
  }
}
