import Certificates
import Foundation
import Testing

@testable import Kubernetes

/// Kubeconfigs and service accounts.
@Suite struct ClusterTests {
  private func written(_ text: String) throws -> String {
    let path = NSTemporaryDirectory() + "kubeconfig-\(UUID().uuidString)"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private static func config(user: String, cluster: String = "server: https://a:6443") -> String {
    """
    apiVersion: v1
    kind: Config
    current-context: here
    contexts:
    - {name: here, context: {cluster: c, user: u, namespace: x}}
    clusters:
    - name: c
      cluster: {\(cluster), extensions: []}
    users:
    - name: u
      user: {\(user)}
    """
  }

  @Test(arguments: [
    (config(user: "exec: {command: aws}"), "from a program or by a password"),
    (config(user: "username: me, password: x"), "from a program or by a password"),
    (config(user: "client-certificate-data: '%'"), "client-certificate-data is no base64"),
    (config(user: "client-certificate-data: aGFsbG8="), "cannot be used"),
    (config(user: "client-certificate: /none"), "/none holds no certificates"),
    (config(user: "token: x", cluster: "server: a:6443"), "a:6443 is no https address"),
    (config(user: "token: x", cluster: "x: y"), "has no server for the cluster c"),
    (
      config(user: "token: x", cluster: "server: https://a, certificate-authority-data: aGFsbG8="),
      "holds no certificate"
    ),
    (config(user: "token: x", cluster: "server: http://a:8080"), "http://a:8080 has no TLS"),
    (config(user: "tokenFile: x", cluster: "server: http://10.0.0.1"), "in clear"),
    (config(user: "token: x", cluster: "server: http://127.0.0.1.example.org"), "in clear"),
    ("current-context: x", "has no current-context"), ("{", "is no kubeconfig"),
    ("[]", "is no kubeconfig"), ("", "is no kubeconfig"),
  ])
  func refused(_ text: String, _ reason: String) throws {
    let path = try written(text)
    let error = try #require(throws: KubernetesError.self) { try Cluster(kubeconfig: path) }
    #expect(error.message.contains(reason), "\(error)")
    #expect(error.code == .configuration)
  }

  @Test func aMissingFile() {
    let error = #expect(throws: KubernetesError.self) { try Cluster(kubeconfig: "/none/config") }
    #expect(error?.message == "/none/config: there is no such file")
  }

  /// Without TLS nothing secret goes to another machine; to this one, as kubectl proxy has it,
  /// it may.
  @Test(arguments: [
    ("", "http://a:8080"), ("token: x", "http://localhost:8001"), ("token: x", "http://127.0.0.1"),
    ("token: x", "'http://[::1]:8001'"), ("tokenFile: x", "http://127.1.2.3:8001/path"),
  ])
  func plaintext(_ user: String, _ server: String) throws {
    _ = try Cluster(kubeconfig: try written(Self.config(user: user, cluster: "server: \(server)")))
  }

  @Test func certificatesAndTokens() throws {
    let set = try CertificateSet(hosts: ["localhost"], now: Date())
    let data = { (name: String) in Data((set.files[name] ?? "").utf8).base64EncodedString() }
    let cluster = try Cluster(
      kubeconfig: try written(
        Self.config(
          user: "client-certificate-data: \(data(CertificateSet.clientCertificate)), "
            + "client-key-data: \(data(CertificateSet.clientKey))",
          cluster: "server: https://a:6443/, certificate-authority-data: \(data(CertificateSet.ca))"
        )))
    #expect(cluster.server == "https://a:6443")
    #expect(cluster.authorities?.count == 1 && cluster.clientCertificates.count == 1)
    #expect(cluster.clientKey != nil)
  }

  @Test func theServiceAccount() throws {
    let folder = NSTemporaryDirectory() + "account-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let set = try CertificateSet(hosts: ["localhost"], now: Date())
    try set.files[CertificateSet.ca]?.write(
      toFile: folder + "/ca.crt", atomically: true, encoding: .utf8)
    let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
    let cluster = try #require(try Cluster.inCluster(environment: environment, folder: folder))
    #expect(cluster.server == "https://[fd00::1]:443")
    guard case .file(folder + "/token") = cluster.token else {
      Issue.record("\(cluster.token)")
      return
    }
    #expect(try Cluster.inCluster(environment: [:], folder: folder) == nil)
    #expect(throws: KubernetesError.self) {
      try Cluster.inCluster(environment: environment, folder: "/none")
    }
  }
}
