import Foundation
import NIOSSL
import Yams

extension Cluster {
  /// A kubeconfig's current context. Programs that give credentials (`exec`,
  /// `auth-provider`) and passwords are refused.
  public init(kubeconfig path: String) throws(KubernetesError) {
    func refuse(_ reason: String) -> KubernetesError {
      KubernetesError(.configuration, "\(path): \(reason)")
    }
    let config: Kubeconfig
    do {
      config = try YAMLDecoder().decode(
        Kubeconfig.self, from: try String(contentsOfFile: path, encoding: .utf8))
    } catch let error as CocoaError {
      throw refuse(
        error.code == .fileReadNoSuchFile
          ? "there is no such file" : "cannot be read: \(error.localizedDescription)")
    } catch {
      throw refuse("is no kubeconfig: \(error)")
    }
    let name = config.currentContext ?? ""
    guard let context = config.contexts?.first(where: { $0.name == name })?.context else {
      throw refuse("has no current-context; choose one with kubectl config use-context")
    }
    guard let cluster = config.clusters?.first(where: { $0.name == context.cluster })?.cluster,
      let server = cluster.server
    else { throw refuse("has no server for the cluster \(context.cluster)") }
    guard server.hasPrefix("https://") || server.hasPrefix("http://") else {
      throw refuse("the server \(server) is no https address")
    }
    self.init(server: server)
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    func file(_ name: String) -> String { name.hasPrefix("/") ? name : "\(folder)/\(name)" }
    func bytes(_ text: String, _ key: String) throws(KubernetesError) -> [UInt8] {
      guard let data = Data(base64Encoded: text) else { throw refuse("\(key) is no base64") }
      return Array(data)
    }

    if cluster.insecureSkipTLSVerify == true { verifiesHostname = false }
    if let text = cluster.certificateAuthorityData {
      guard
        let found = try? NIOSSLCertificate.fromPEMBytes(
          try bytes(text, "certificate-authority-data"))
      else { throw refuse("certificate-authority-data holds no certificate") }
      authorities = found
    } else if let name = cluster.certificateAuthority {
      authorities = try Self.certificates(file: file(name))
    }

    guard let user = config.users?.first(where: { $0.name == context.user })?.user else {
      throw refuse("has no user \(context.user)")
    }
    guard user.exec == nil, user.authProvider == nil, user.username == nil else {
      throw refuse(
        "the user \(context.user) has its credentials from a program or by a password; "
          + "give a token or a certificate")
    }
    if let name = user.tokenFile {
      token = .file(file(name))
    } else if let text = user.token {
      token = .text(text)
    }
    do {
      if let text = user.clientCertificateData {
        clientCertificates = try NIOSSLCertificate.fromPEMBytes(
          try bytes(text, "client-certificate-data"))
      } else if let name = user.clientCertificate {
        clientCertificates = try Self.certificates(file: file(name))
      }
      if let text = user.clientKeyData {
        clientKey = try NIOSSLPrivateKey(
          bytes: try bytes(text, "client-key-data"), format: .pem)
      } else if let name = user.clientKey {
        clientKey = try NIOSSLPrivateKey(file: file(name), format: .pem)
      }
    } catch let error as KubernetesError {
      throw error
    } catch {
      throw refuse("the certificate or the key of the user \(context.user) cannot be used")
    }
    guard clientCertificates.isEmpty == (clientKey == nil) else {
      throw refuse("the user \(context.user) has a certificate or a key without the other")
    }
    guard server.hasPrefix("https://") || staysHere || !hasCredentials else {
      throw refuse(
        "the server \(server) has no TLS: the credentials of the user \(context.user) would go there "
          + "in clear; give its https address")
    }
  }

  private var hasCredentials: Bool {
    if case .none = token { clientKey != nil } else { true }
  }

  /// Whether what is sent to the server does not leave this machine.
  private var staysHere: Bool {
    let host = URLComponents(string: server)?.host ?? ""
    return ["localhost", "::1", "[::1]"].contains(host)
      || host.wholeMatch(of: /127(\.\d{1,3}){3}/) != nil
  }

  /// As `kubectl` finds it.
  public static func kubeconfigPath(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    if let path = environment["KUBECONFIG"], !path.isEmpty { return path }
    return (environment["HOME"] ?? "/root") + "/.kube/config"
  }
}

/// What is read of a kubeconfig.
private struct Kubeconfig: Decodable {
  struct NamedCluster: Decodable {
    struct Cluster: Decodable {
      var server: String?
      var certificateAuthority: String?
      var certificateAuthorityData: String?
      var insecureSkipTLSVerify: Bool?

      enum CodingKeys: String, CodingKey {
        case server
        case certificateAuthority = "certificate-authority"
        case certificateAuthorityData = "certificate-authority-data"
        case insecureSkipTLSVerify = "insecure-skip-tls-verify"
      }
    }
    var name: String
    var cluster: Cluster
  }

  struct NamedContext: Decodable {
    struct Context: Decodable {
      var cluster: String
      var user: String
    }
    var name: String
    var context: Context
  }

  struct NamedUser: Decodable {
    struct Anything: Decodable {
      init(from decoder: any Decoder) throws {}
    }
    struct User: Decodable {
      var token: String?
      var tokenFile: String?
      var clientCertificate: String?
      var clientCertificateData: String?
      var clientKey: String?
      var clientKeyData: String?
      var username: String?
      var exec: Anything?
      var authProvider: Anything?

      enum CodingKeys: String, CodingKey {
        case token, tokenFile, username, exec
        case clientCertificate = "client-certificate"
        case clientCertificateData = "client-certificate-data"
        case clientKey = "client-key"
        case clientKeyData = "client-key-data"
        case authProvider = "auth-provider"
      }
    }
    var name: String
    var user: User
  }

  var clusters: [NamedCluster]?
  var contexts: [NamedContext]?
  var users: [NamedUser]?
  var currentContext: String?

  enum CodingKeys: String, CodingKey {
    case clusters, contexts, users
    case currentContext = "current-context"
  }
}
