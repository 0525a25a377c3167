import Certificates
import Foundation
import Kubernetes
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Netlink
import Synchronization

/// A stand-in for kube-apiserver: lists with pages, watches with bookmarks, tells who asks
/// from too far back that it has forgotten (410), speaks TLS and wants a token. Tests are
/// its clients that write.
public final class APIServer: Sendable {
  public let port: Int
  /// A folder with a kubeconfig and what that refers to.
  public let folder: String
  public var kubeconfig: String { folder + "/kubeconfig" }

  private let store = ObjectStore()
  private let channel: any Channel
  private let address: String
  private let connections: Connections

  /// - Parameters:
  ///   - address: an IPv4 address of the namespace.
  ///   - namespace: where it listens; nil is that of the tests.
  ///   - port: 0 is any that is free.
  ///   - names: what it is reached as, beside its address.
  public init(
    address: String = "127.0.0.1", in namespace: Netlink.NetworkNamespace? = nil, port: Int = 0,
    names: [String] = []
  ) async throws {
    folder = NSTemporaryDirectory() + "api-\(UUID().uuidString.prefix(8))"
    self.address = address
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let set = try CertificateSet(hosts: [address] + names, now: Date())
    for (name, text) in set.files {
      try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
    let tls = try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: NIOSSLCertificate.fromPEMFile(
          folder + "/\(CertificateSet.serverCertificate)"
        ).map {
          .certificate($0)
        },
        privateKey: .privateKey(
          NIOSSLPrivateKey(file: folder + "/\(CertificateSet.serverKey)", format: .pem))))
    let connections = Connections()
    self.connections = connections
    let socket = try Self.listen(address, port, namespace)
    let store = store
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          connections.add(channel)
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(NIOSSLServerHandler(context: tls))
          try pipeline.configureHTTPServerPipeline()
          try pipeline.addHandler(APIHandler(store))
        }
      }
      .withBoundSocket(socket).get()
    self.port = channel.localAddress?.port ?? 0
    try setToken("first")
    try writeKubeconfig()
  }

  deinit {
    channel.close(promise: nil)
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// A socket stays in the namespace that it was made in.
  private static func listen(
    _ address: String, _ port: Int, _ namespace: Netlink.NetworkNamespace?
  ) throws -> Int32 {
    func listen() throws -> Int32 {
      let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var one: Int32 = 1
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, 4)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = UInt16(port).bigEndian
      inet_pton(AF_INET, address, &name.sin_addr)
      let bound = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard bound == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
      return socket
    }
    return try namespace.map { try $0.run(listen) } ?? listen()
  }

  private func writeKubeconfig() throws {
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
    """.write(toFile: kubeconfig, atomically: true, encoding: .utf8)
  }

  /// Replaces the token that clients need, and the file they read it from.
  public func setToken(_ token: String, inFile: Bool = true) throws {
    store.token.withLock { $0 = token }
    guard inFile else { return }
    try token.write(toFile: folder + "/token", atomically: true, encoding: .utf8)
  }

  /// Makes or changes an object.
  public func put(_ object: some KubernetesObject) { store.put(object) }

  /// Removes an object, if it is there.
  public func delete<Object: KubernetesObject>(_: Object.Type, _ name: ObjectName) {
    store.delete(Object.path, name)
  }

  /// Forgets all events so far. Watches that are up to date go on.
  public func compact() { store.compact() }

  /// Tells all watches how far things are.
  public func bookmark() { store.bookmark() }

  /// Ends all watches with an ERROR event of 410.
  public func expireWatches() { store.expireWatches() }

  /// Closes all connections, in the middle of a line of those that watch.
  public func cut() {
    store.breakLines()
    connections.closeAll()
  }

  /// How many lists were asked for, first pages only.
  public var lists: Int { store.lists.withLock(\.self) }
}

/// Who is connected.
private final class Connections: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

  func add(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    channels.withLock { $0[id] = channel }
    channel.closeFuture.whenComplete { [self] _ in channels.withLock { $0[id] = nil } }
  }

  func closeAll() {
    for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
  }
}
