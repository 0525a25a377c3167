import Foundation
import Kubernetes
import Netlink

/// An API server of a test: the stand-in, or a real one.
public protocol TestAPI: Sendable {
  /// The agent's.
  var kubeconfig: String { get }
  /// `ca.crt` is in it.
  var folder: String { get }
  /// As whom the agent asks.
  func token() throws -> String

  /// Makes or changes an object.
  func put(_ object: some KubernetesObject) async throws

  /// Removes an object, if it is there.
  func delete<Object: KubernetesObject>(_: Object.Type, _ name: ObjectName) async throws

  /// Breaks all of the agent's connections.
  func cut() async throws

  /// Forgets all events so far.
  func compact() async throws
}

extension TestAPI {
  public func token() throws -> String {
    try String(contentsOfFile: folder + "/token", encoding: .utf8)
  }
}

/// Where an API server of a test listens.
public struct APIPlace: Sendable {
  /// An IPv4 address of the namespace.
  public var address: String
  /// Path of the namespace; nil is that of the tests.
  public var namespace: String?
  /// 0 is any that is free.
  public var port: Int
  /// What it is reached as, beside its address.
  public var names: [String]

  public init(
    address: String = "127.0.0.1", in namespace: String? = nil, port: Int = 0, names: [String] = []
  ) {
    self.address = address
    self.namespace = namespace
    self.port = port
    self.names = names
  }

  /// Calls the function in the namespace.
  func run<Value>(_ body: () throws -> Value) throws -> Value {
    guard let namespace else { return try body() }
    return try Netlink.NetworkNamespace(path: namespace).run(body)
  }

  /// A socket that is bound there. It stays in the namespace that it was made in.
  func bound() throws -> (socket: Int32, port: Int) {
    try run {
      let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var one: Int32 = 1
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, 4)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = UInt16(port).bigEndian
      inet_pton(AF_INET, address, &name.sin_addr)
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let status = withUnsafeMutablePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
        }
      }
      guard status == 0 else {
        close(socket)
        throw POSIXError(.init(rawValue: errno) ?? .EIO)
      }
      return (socket, Int(UInt16(bigEndian: name.sin_port)))
    }
  }

  /// Two ports that are free now.
  func twoFreePorts() throws -> (Int, Int) {
    let (first, second) = (try bound(), try bound())
    close(first.socket)
    close(second.socket)
    return (first.port, second.port)
  }

  /// A place with a port that is free now.
  func free() throws -> APIPlace {
    let (socket, port) = try bound()
    close(socket)
    var place = self
    place.port = port
    return place
  }

  /// Writes a kubeconfig with its files into a folder, which has `ca.crt` and `token`.
  ///
  /// - Returns: its path.
  func writeKubeconfig(to folder: String) throws -> String {
    let path = folder + "/kubeconfig"
    try """
    apiVersion: v1
    kind: Config
    current-context: test
    contexts:
    - {name: test, context: {cluster: test, user: test}}
    clusters:
    - {name: test, cluster: {server: "https://\(address):\(port)", certificate-authority: ca.crt}}
    users:
    - {name: test, user: {tokenFile: token}}
    """.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }
}
