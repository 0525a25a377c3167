import Certificates
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import Infrap4dDataplane
import NodeTesting
import P4RuntimeProtos
import Testing

/// Who may connect, and what those who may not can do.
@Suite struct SecurityTests {
  private func capabilities(_ transport: HTTP2ClientTransport.Posix) async throws -> String {
    try await withGRPCClient(transport: transport) { grpc in
      let client = P4_V1_P4Runtime.Client(wrapping: grpc)
      var options = CallOptions.defaults
      // A connection that cannot be made is an answer.
      options.waitForReady = false
      return try await client.capabilities(.init(), options: options).p4RuntimeApiVersion
    }
  }

  @Test func mutualTLSIsTheDefault() async throws {
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(["--dataplane", "model"], listen: ["127.0.0.1:0"]))
    #expect(
      try await capabilities(try TestController.tls(port: port, server.certificates)) == "1.4.1")

    // Another authority's client.
    let foreign = server.folder + "/foreign"
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: foreign)
    try FileManager.default.removeItem(atPath: foreign + "/ca.crt")
    try FileManager.default.copyItem(
      atPath: server.certificates + "/ca.crt", toPath: foreign + "/ca.crt")
    await #expect(throws: RPCError.self) {
      try await capabilities(try TestController.tls(port: port, foreign))
    }
    // No certificate, and no TLS at all.
    await #expect(throws: RPCError.self) {
      try await capabilities(
        try .http2NIOPosix(
          target: .dns(host: "localhost", port: port),
          transportSecurity: .tls {
            $0.trustRoots = .certificates([
              .file(path: server.certificates + "/ca.crt", format: .pem)
            ])
          }))
    }
    await #expect(throws: RPCError.self) {
      try await capabilities(
        try .http2NIOPosix(
          target: .dns(host: "localhost", port: port), transportSecurity: .plaintext))
    }
    #expect(
      try await capabilities(try TestController.tls(port: port, server.certificates)) == "1.4.1")
  }

  /// Certificates are for addresses, too, as which every client may name the server.
  @Test(arguments: [
    ("127.0.0.1:0", "localhost"), ("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"),
  ]) func serverNamed(listen: String, host: String) async throws {
    let server = try ServerProcess()
    let port = try #require(try await server.start(["--dataplane", "model"], listen: [listen]))
    var options = Infrap4dOptions()
    options.address = .tcp(host: host, port: port)
    options.security = .mutualTLS(folder: server.certificates)
    #expect(try await capabilities(try options.transport()) == "1.4.1")
  }

  @Test func keysAreForTheOwnerOnly() async throws {
    let server = try ServerProcess()
    try await server.start(
      ["--dataplane", "model"], listen: ["unix:" + server.socket, "127.0.0.1:0"])
    for name in CertificateSet.names where name.hasSuffix(".key") {
      #expect(try mode(server.certificates + "/" + name) == 0o600)
    }
    #expect(try mode(server.certificates) == 0o700)
    #expect(try mode(server.socket) == 0o660)
  }

  private func mode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  /// Who may open a Unix socket is decided by its permissions.
  @Test func unixSocketsNeedNoCertificates() async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", "model"])
    #expect(!FileManager.default.fileExists(atPath: server.certificates))
  }

  /// Another user's server must find its own certificates below it.
  @Test func foldersAboveTheCertificatesStayPassable() throws {
    let server = try ServerProcess()
    let folder = server.folder + "/a/b/certs"
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: folder)
    let mask = umask(0)
    umask(mask)
    #expect(try mode(folder) == 0o700)
    #expect(try mode(server.folder + "/a/b") == Int(0o777 & ~mask))
  }

  @Test(.enabled(if: getuid() == 0, "another user's certificates need root"))
  func certificatesThatMayNotBeRead() async throws {
    let server = try ServerProcess()
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: server.certificates)
    let program = server.folder + "/infrap4d"
    try FileManager.default.copyItem(atPath: ServerProcess.program, toPath: program)
    let outcome = try await Command.run([
      "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all",
      program, "--dataplane", "model", "--state", "none", "--listen", "127.0.0.1:0", "--certs",
      server.certificates, "--metrics-address", "",
    ])
    #expect(outcome.status == 1 || outcome.status == 2, "\(outcome)")
    #expect(outcome.output.contains("cannot be read; check its permissions"), "\(outcome)")
    #expect(outcome.output.split(separator: "\n").count == 1, "\(outcome)")
  }

  /// Every thread of a server has given up what it does not need, on both engines, also
  /// with a pipeline and a client.
  @Test(arguments: ["model", "dpdk"])
  func capabilitiesAreFew(_ dataplane: String) async throws {
    let server = try ServerProcess()
    try await server.start(["--dataplane", dataplane])
    let (identifier, socket) = (server.identifier, server.socket)
    let own = try Self.status("/proc/self/status")
    // NET_ADMIN, NET_RAW and SYS_ADMIN.
    let kept: UInt64 = 1 << 12 | 1 << 13 | 1 << 21
    @Sendable func check() throws {
      let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/task")
      #expect(tasks.count > 1)
      for task in tasks {
        let found = try Self.status("/proc/\(identifier)/task/\(task)/status")
        #expect(found["NoNewPrivs"] == 1)
        #expect(found["CapInh"] == 0 && found["CapAmb"] == 0)
        for set in ["CapPrm", "CapEff"] { #expect(found[set] == (own[set] ?? 0) & kept) }
        // To lower what programs may have takes a capability, too: SETPCAP.
        if (own["CapEff"] ?? 0) >> 8 & 1 == 1 {
          #expect(found["CapBnd"] == (own["CapBnd"] ?? 0) & kept)
        }
      }
    }
    try check()
    try await TestController.run(try TestController.unix(socket)) { controller in
      try await controller.push()
      try await controller.write([try TestController.route(0x0AF4_0006)])
      try check()
    }
    #expect(try await server.stop() == 0)
  }

  /// The sets of capabilities of a thread, and whether it may gain some.
  private static func status(_ path: String) throws -> [String: UInt64] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return Dictionary(
      text.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: ":\t")
        guard parts.count == 2, let value = UInt64(parts[1], radix: 16) else { return nil }
        return (String(parts[0]), value)
      }, uniquingKeysWith: { first, _ in first })
  }

  @Test func plaintextOnlyByName() async throws {
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(["--dataplane", "model", "--insecure"], listen: ["127.0.0.1:0"]))
    #expect(server.log.contains("without TLS"))
    #expect(
      try await capabilities(
        try .http2NIOPosix(
          target: .dns(host: "localhost", port: port), transportSecurity: .plaintext)) == "1.4.1")
    #expect(!FileManager.default.fileExists(atPath: server.certificates))
  }

  @Test func badCertificatesAreNamed() async throws {
    let server = try ServerProcess()
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: server.certificates)
    try CertificateSet(hosts: ["localhost"], now: Date()).write(to: server.folder + "/other")
    func attempt() async throws -> (code: Int32, log: String) {
      try await server.run([
        "--dataplane", "model", "--state", server.state, "--certs", server.certificates,
        "--listen", "127.0.0.1:0",
      ])
    }
    let key = server.certificates + "/stratum.key"
    try FileManager.default.removeItem(atPath: key)
    #expect(try await attempt().log.contains("stratum.key: is not there; give --certs"))
    try FileManager.default.copyItem(
      atPath: server.folder + "/other/stratum.key", toPath: key)
    #expect(try await attempt().log.contains("is not the key of"))
    try "nonsense".write(toFile: key, atomically: false, encoding: .utf8)
    #expect(try await attempt().log.contains("is no private key"))
    let certificate = server.certificates + "/stratum.crt"
    try "nonsense".write(toFile: certificate, atomically: false, encoding: .utf8)
    #expect(try await attempt().code == 1)
    try FileManager.default.removeItem(atPath: certificate)
    #expect(try await attempt().log.contains("stratum.crt: is not there"))
    let expired = server.folder + "/expired"
    try CertificateSet(hosts: ["localhost"], now: Date(timeIntervalSince1970: 0)).write(to: expired)
    let outcome = try await server.run([
      "--dataplane", "model", "--state", server.state, "--certs", expired, "--listen",
      "127.0.0.1:0",
    ])
    #expect(outcome.code == 1 && outcome.log.contains("ran out"))
  }

  /// Without --listen the addresses are upstream's.
  @Test(
    .enabled(if: NetworkNamespace.reason == nil, "\(NetworkNamespace.reason ?? "")"))
  func addressesUnlessTold() async throws {
    let namespace = try await NetworkNamespace("ports")
    let server = try ServerProcess(in: namespace)
    try await server.start(["--dataplane", "model"], listen: [])
    for port in ["9559", "9339"] {
      while !server.log.contains("0.0.0.0:\(port)") { try await Task.sleep(for: .milliseconds(10)) }
    }
    let listening = try await namespace.exec("ss", "-Hltn")
    let ports = listening.split(separator: "\n").compactMap { line in
      line.split(separator: " ").dropFirst(3).first.map(String.init)
    }
    #expect(Set(ports) == ["0.0.0.0:9559", "0.0.0.0:9339"])
    #expect(try await server.stop() == 0)
  }

  /// A request that is too large is refused, and costs the connection nothing.
  @Test func largeRequests() async throws {
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(
        ["--dataplane", "model", "--insecure", "--max-request", "4"], listen: ["127.0.0.1:0"]))
    try await RawClient.sendTooMuch(4 << 20 + 1, port: port)
    try await RawClient.sendTooMuch(1 << 30, port: port)
    try await RawClient.breakOff(4 << 20, port: port)
    #expect(try await server.stop() == 0)
  }

  /// Connections without a handshake give their places to others.
  @Test(arguments: [true, false]) func silentConnectionsAreClosed(_ isSecure: Bool) async throws {
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(
        ["--dataplane", "model", "--max-connections", "4"] + (isSecure ? [] : ["--insecure"]),
        listen: ["127.0.0.1:0"]))
    let silent = (0..<4).map { _ in Self.connect(port) }
    defer { for descriptor in silent { close(descriptor) } }
    #expect(silent.allSatisfy { $0 >= 0 })
    // The server ends them, after a time that is shorter than that of the keepalive.
    let start = ContinuousClock.now
    for descriptor in silent {
      try await blocking {
        var byte: UInt8 = 0
        while recv(descriptor, &byte, 1, 0) > 0 {}
      }
    }
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(
      try await capabilities(
        isSecure
          ? try TestController.tls(port: port, server.certificates)
          : try .http2NIOPosix(
            target: .dns(host: "localhost", port: port), transportSecurity: .plaintext)) == "1.4.1")
  }

  static func connect(_ port: Int) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result == 0 { return descriptor }
    close(descriptor)
    return -1
  }

  /// Bytes that are no TLS, connections that say nothing, thousands of them.
  @Test func garbageAndFloodsLeaveTheServerAnswering() async throws {
    let server = try ServerProcess()
    let port = try #require(
      try await server.start(
        ["--dataplane", "model", "--max-connections", "300"], listen: ["127.0.0.1:0"]))
    var random = SystemRandomNumberGenerator()
    for size in [1, 5, 100, 4_096] {
      let descriptor = Self.connect(port)
      let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
      send(descriptor, bytes, size, Int32(MSG_NOSIGNAL))
      close(descriptor)
    }
    // Ten thousand, many of them open at a time.
    var held: [Int32] = []
    var opened = 0
    for _ in 0..<10_000 {
      let descriptor = Self.connect(port)
      guard descriptor >= 0 else { continue }
      opened += 1
      held.append(descriptor)
      if held.count > 400 { close(held.removeFirst()) }
    }
    #expect(opened > 9_000)
    for descriptor in held { close(descriptor) }
    // A connection of the flood may still count for a moment.
    var version: String?
    for _ in 0..<200 where version == nil {
      version = try? await capabilities(try TestController.tls(port: port, server.certificates))
    }
    #expect(version == "1.4.1")
    #expect(try await server.stop() == 0)
  }
}
