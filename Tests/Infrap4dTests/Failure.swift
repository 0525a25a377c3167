import Core
import Foundation
import GRPCCore
import NodeTesting
import P4RuntimeProtos
import P4RuntimeTesting
import Testing

/// What can be wrong on a node, by its row in docs/install.md.
enum Failure: String, CaseIterable, Sendable {
  case serverKey = "the server's key is another's"
  case clientKey = "a client's key is another's"
  case serverCertificate = "a certificate of the server is missing"
  case clientCertificate = "a certificate of a client is missing"
  case authorities = "certificates of two authorities"
  case noInfrap4d = "there is no infrap4d"
  case addressInUse = "an address is in use"
  case fullTable = "a table is full"
  case tooMuchWanted = "more is wanted than a table holds"
  case logFile = "the log file cannot be written"

  /// A program, and what it says.
  typealias Said = (program: String, text: String)

  /// Makes it happen.
  ///
  /// - Returns: what is said by each program that it happens to.
  func happen() async throws -> [Said] {
    switch self {
    case .serverKey: try await Self.otherKey(["stratum.key"]) { [("infrap4d", try $0.server())] }
    case .clientKey:
      try await Self.otherKey(["client.key"]) {
        [("inframanager", try $0.manager()), ("infraagent", try $0.agent())]
      }
    case .serverCertificate: try await Self.missingOfTheServer()
    case .clientCertificate: try await Self.missingOfAClient()
    case .authorities: try await Self.twoAuthorities()
    case .noInfrap4d: try await Self.nobody()
    case .addressInUse: try await Self.addressesInUse()
    case .fullTable: try await Self.aFullTable()
    case .tooMuchWanted: try await Self.tooManyServices()
    case .logFile: try await Self.aLogThatCannotBeWritten()
    }
  }

  /// A server that TLS clients reach.
  private static func listening(
    _ folder: FailureFolder
  ) async throws -> (server: ServerProcess, port: Int) {
    let server = try ServerProcess()
    try FileManager.default.copyItem(atPath: folder.certificates, toPath: server.certificates)
    let port = try await server.start(["--dataplane", "model"], listen: ["127.0.0.1:0"])
    return (server, try #require(port))
  }

  private static func otherKey(
    _ names: [String], _ programs: (FailureFolder) throws -> [(String, RunningProgram)]
  ) async throws -> [Said] {
    let folder = try FailureFolder()
    let (server, port) = try await listening(folder)
    try folder.take(names, of: try FailureFolder())
    var said: [Said] = []
    for (name, program) in try programs(folder) {
      said.append((name, try await FailureFolder.lastWords(program)))
    }
    if names.contains("client.key") { said += try await folder.commands(port: port) }
    #expect(try await server.stop() == 0)
    return said
  }

  private static func missingOfTheServer() async throws -> [Said] {
    var said: [Said] = []
    for name in ["ca.crt", "stratum.crt", "stratum.key"] {
      let folder = try FailureFolder()
      try FileManager.default.removeItem(atPath: "\(folder.certificates)/\(name)")
      let log = try await FailureFolder.lastWords(try folder.server())
      #expect(log.contains("\(name): is not there"))
      said.append(("infrap4d", log))
    }
    return said
  }

  private static func missingOfAClient() async throws -> [Said] {
    var said: [Said] = []
    for (name, flag) in [
      ("ca.crt", "--ca_cert_file"), ("client.crt", "--client_cert_file"),
      ("client.key", "--client_key_file"),
    ] {
      let folder = try FailureFolder()
      let (server, port) = try await listening(folder)
      try FileManager.default.removeItem(atPath: "\(folder.certificates)/\(name)")
      for (program, running) in [
        ("inframanager", try folder.manager()), ("infraagent", try folder.agent()),
      ] {
        let log = try await FailureFolder.lastWords(running)
        #expect(log.contains("say with Certs where"), "\(log)")
        said.append((program, log))
      }
      let commands = try await folder.commands(port: port)
      for (program, text) in commands {
        let setting = program.hasPrefix("gnmi-ctl") ? flag : "--certs"
        #expect(text.contains("say with \(setting) where"), "\(program): \(text)")
      }
      said += commands
      for (program, text) in said.suffix(commands.count + 2) {
        #expect(text.contains("\(name): is not there"), "\(program): \(text)")
      }
      #expect(try await server.stop() == 0)
    }
    return said
  }

  /// Of the client by the server's authority, and the other way round.
  private static func twoAuthorities() async throws -> [Said] {
    var said: [Said] = []
    for foreign in [["client.crt", "client.key"], ["ca.crt"]] {
      let folder = try FailureFolder()
      let (server, port) = try await listening(folder)
      try folder.take(foreign, of: try FailureFolder())
      let manager = try folder.manager(["GrpcServer.addr": "localhost:\(port)"])
      let line = try await manager.wait(for: "infrap4d is not reached")
      #expect(line.contains("at=localhost:\(port)"))
      said.append(("inframanager", line))
      said += try await folder.commands(port: port)
      #expect(try await server.stop() == 0)
    }
    return said
  }

  private static func nobody() async throws -> [Said] {
    let folder = try FailureFolder()
    let manager = try folder.manager()
    let line = try await manager.wait(for: "infrap4d is not reached")
    // It waits for it.
    #expect(manager.isRunning)
    return [("inframanager", line)] + (try await folder.commands(port: 1))
  }

  private static func addressesInUse() async throws -> [Said] {
    let folder = try FailureFolder()
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(["--dataplane", "model"], listen: ["127.0.0.1:0"]))
    // Until then its socket is nobody's.
    while !server.log.contains("serving /metrics") { try await Task.sleep(for: .milliseconds(5)) }
    var said: [Said] = []
    for (taken, isTCP) in [("127.0.0.1:\(port)", true), ("unix:\(server.metricsSocket)", false)] {
      for (name, program, setting) in [
        ("infrap4d", try folder.server(["--listen", taken]), "--listen"),
        ("infrap4d", try folder.server(["--metrics-address", taken]), "--metrics-address"),
        (
          "inframanager", try folder.manager(["InfraManager.addr": taken]),
          "--set InfraManager.addr=…"
        ),
        (
          "inframanager",
          try folder.manager([
            "InfraManager.metrics-addr": taken, "State": "\(folder.path)/other-\(isTCP)",
          ]),
          "--set InfraManager.metrics-addr=…"
        ),
        ("infraagent", try folder.agent(["cniAddr": taken]), "--set cniAddr=…"),
        (
          "infraagent",
          try folder.agent(["healthAddr": taken, "State": "\(folder.path)/more-\(isTCP)"]),
          "--set healthAddr=…"
        ),
      ] {
        let log = try await FailureFolder.lastWords(program)
        #expect(log.contains("\(taken) is in use") && log.contains("another with \(setting)"))
        said.append((name, log))
      }
    }
    #expect(try await server.stop() == 0)
    return said
  }

  private static func aLogThatCannotBeWritten() async throws -> [Said] {
    let folder = try FailureFolder()
    let program = try folder.server(["--log-file", "/proc/nowhere/infrap4d.log"])
    let line = try await program.wait(for: "the log file is not written")
    try await program.wait(for: "listening")
    return [("infrap4d", line)]
  }
}
