import Certificates
import Foundation
import Kubernetes
import NodeTesting
import Synchronization

/// kube-apiserver and etcd as they are, from the folder that KUBEBUILDER_ASSETS names, as for
/// tests of Kubernetes controllers (envtest). The agent has a token of the service account of
/// `deploy/kubernetes`, and may do what the manifests there let it do, and nothing else.
public final class KubeAPIServer: TestAPI {
  /// Where the programs are.
  private static let assets = ProcessInfo.processInfo.environment["KUBEBUILDER_ASSETS"] ?? ""

  /// Whether it shall be used.
  public static let isWanted = !assets.isEmpty

  /// Why there is none, or nil.
  public static let missing: String? = {
    guard !assets.isEmpty else { return "KUBEBUILDER_ASSETS is not set" }
    let missing = ["kube-apiserver", "etcd"].filter {
      !FileManager.default.isExecutableFile(atPath: "\(assets)/\($0)")
    }
    return missing.isEmpty
      ? nil : "KUBEBUILDER_ASSETS is \(assets), which has no \(missing.joined(separator: ", "))"
  }()

  public let kubeconfig: String
  public var folder: String { files.path }

  private let files: TemporaryFolder
  private let etcd: Etcd
  private let place: APIPlace
  private let program = Mutex<RunningProgram?>(nil)
  /// Of somebody who may do everything.
  private let administrator = UUID().uuidString
  private var prefix: [String] { place.namespace.map { ["nsenter", "--net=\($0)"] } ?? [] }

  /// Starts both, and gives the agent its rights.
  public convenience init(_ place: APIPlace = APIPlace()) async throws {
    if let missing = Self.missing { throw Unexpected(text: missing) }
    try await self.init(
      place, try Etcd("\(Self.assets)/etcd", in: place.namespace))
    try await allowAgent()
  }

  /// Another server of the same cluster, at a port of its own.
  public func another() async throws -> KubeAPIServer {
    var place = place
    place.port = 0
    return try await KubeAPIServer(place, etcd)
  }

  private init(_ place: APIPlace, _ etcd: Etcd) async throws {
    let place = place.port == 0 ? try place.free() : place
    let files = try TemporaryFolder("kube")
    (self.files, self.etcd, self.place) = (files, etcd, place)
    let set = try CertificateSet(hosts: [place.address] + place.names, now: Date())
    for (name, text) in set.files {
      try text.write(toFile: "\(files.path)/\(name)", atomically: true, encoding: .utf8)
    }
    try "\(administrator),administrator,administrator,system:masters\n"
      .write(toFile: files.path + "/tokens.csv", atomically: true, encoding: .utf8)
    kubeconfig = try place.writeKubeconfig(to: files.path)
    // It does not find the public key in a private one of PKCS #8.
    _ = try await Command.check(
      "openssl", "pkey", "-in", "\(files.path)/\(CertificateSet.serverKey)", "-pubout",
      "-out", "\(files.path)/service-account.pub")
    try await start()
  }

  // MARK: The program

  /// Starts it after ``stop()``, and waits until it is ready.
  public func start() async throws {
    let path = files.path
    let started = try RunningProgram(
      prefix + [
        "sh", "-c", "exec \"$@\" >> \(path)/log 2>&1", "sh", "\(Self.assets)/kube-apiserver",
        "--etcd-servers=\(etcd.url)", "--bind-address=\(place.address)",
        "--advertise-address=\(place.address)", "--secure-port=\(place.port)",
        // An endpoint of the kubernetes Service must not be a loopback address.
        "--endpoint-reconciler-type=\(place.address.hasPrefix("127.") ? "none" : "lease")",
        "--cert-dir=\(path)", "--tls-cert-file=\(path)/\(CertificateSet.serverCertificate)",
        "--tls-private-key-file=\(path)/\(CertificateSet.serverKey)",
        "--token-auth-file=\(path)/tokens.csv", "--anonymous-auth=false",
        "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/12",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=\(path)/service-account.pub",
        "--service-account-signing-key-file=\(path)/\(CertificateSet.serverKey)",
      ])
    program.withLock { $0 = started }
    while try await ask("GET", "/readyz").status != 200 {
      guard started.isRunning, etcd.isRunning else {
        let log = (try? String(contentsOfFile: path + "/log", encoding: .utf8)) ?? ""
        throw Unexpected(
          text: "kube-apiserver or etcd has ended:\n\(log.suffix(4000))\n\(etcd.log.suffix(4000))")
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// SIGKILL, and the end of it.
  public func stop() { program.withLock { $0 }?.end() }

  public func cut() async throws {
    let port = place.port
    let of = ["state", "established", "( sport = :\(port) or dport = :\(port) )"]
    let before = try await sockets(of)
    _ = try await Command.run(prefix + ["ss", "-K", "-t"] + of)
    // New ones may be there already.
    let left = try await sockets(of).intersection(before)
    guard left.isEmpty else {
      throw Unexpected(text: "connections that ss -K does not end: \(left)")
    }
  }

  private func sockets(_ filter: [String]) async throws -> Set<String> {
    let lines = try await Command.run(prefix + ["ss", "-H", "-t", "-n"] + filter).output
    return Set(
      lines.split(separator: "\n").map {
        $0.split(separator: " ").dropFirst(2).joined(separator: " ")
      })
  }

  public func compact() async throws { try await etcd.compact() }

  // MARK: Objects

  public func put<Object: KubernetesObject>(_ object: Object) async throws {
    var tree =
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(object)) as? [String: Any] ?? [:]
    tree["apiVersion"] = Object.path.split(separator: "/").dropFirst().dropLast()
      .joined(separator: "/")
    tree["kind"] = Object.kind
    try await apply(Self.path(Object.self, object.objectName), tree)
  }

  public func delete<Object: KubernetesObject>(_: Object.Type, _ name: ObjectName) async throws {
    let path = Self.path(Object.self, name)
    let answer = try await ask("DELETE", path)
    guard [200, 404].contains(answer.status) else { throw Refused(path: path, answer: answer) }
  }

  private static func path<Object: KubernetesObject>(_: Object.Type, _ name: ObjectName) -> String {
    guard !name.namespace.isEmpty else { return "\(Object.path)/\(name.name)" }
    var parts = Object.path.split(separator: "/").map(String.init)
    parts.insert(contentsOf: ["namespaces", name.namespace], at: parts.count - 1)
    return "/" + (parts + [name.name]).joined(separator: "/")
  }

  /// Makes it, or makes it what it shall be.
  private func apply(_ path: String, _ tree: [String: Any]) async throws {
    // It reads this as YAML, which knows no "\/".
    let body = try JSONSerialization.data(
      withJSONObject: tree, options: .withoutEscapingSlashes)
    var answer = Answer(status: 404, body: "")
    // Namespaces come a moment after the server.
    while answer.status == 404 {
      answer = try await ask(
        "PATCH", path + "?fieldManager=tests&force=true", String(decoding: body, as: UTF8.self),
        type: "application/apply-patch+yaml")
    }
    guard [200, 201].contains(answer.status) else { throw Refused(path: path, answer: answer) }
  }

  /// The rights of the manifests, and a token for those who have them.
  private func allowAgent() async throws {
    for object in try AgentRights.objects() { try await apply(object.path, object.tree) }
    let path = AgentRights.account + "/token"
    let answer = try await ask(
      "POST", path,
      #"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#)
    struct TokenRequest: Decodable {
      struct Status: Decodable { var token: String }
      var status: Status
    }
    guard answer.status == 201,
      let token = try? JSONDecoder().decode(TokenRequest.self, from: Data(answer.body.utf8))
    else { throw Refused(path: path, answer: answer) }
    try token.status.token.write(toFile: files.path + "/token", atomically: true, encoding: .utf8)
  }

  // MARK: Requests

  public struct Answer: Sendable {
    /// Of HTTP; 0 when there was none.
    public var status: Int
    public var body: String
  }

  /// What it does not do for the administrator.
  public struct Refused: Error, CustomStringConvertible {
    public var path: String
    public var answer: Answer
    public var description: String { "\(path): \(answer.status) \(answer.body)" }
  }

  /// Asks, as the administrator unless with another token.
  public func ask(
    _ method: String, _ path: String, _ body: String? = nil, type: String = "application/json",
    token: String? = nil
  ) async throws -> Answer {
    let outcome = try await Command.run(
      prefix + [
        "curl", "-s", "--cacert", "\(files.path)/\(CertificateSet.ca)", "-X", method, "-H",
        "Authorization: Bearer \(token ?? administrator)", "-H", "Content-Type: \(type)", "-w",
        "\n%{http_code}", "https://\(place.address):\(place.port)\(path)",
      ] + (body == nil ? [] : ["--data-binary", "@-"]), input: body ?? "")
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
    return Answer(
      status: lines.last.flatMap { Int($0) } ?? 0,
      body: lines.dropLast().joined(separator: "\n"))
  }
}
