import Certificates
import Foundation
import Kubernetes
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NodeTesting
import Synchronization

/// A stand-in for kube-apiserver: lists with pages, watches with bookmarks, tells who asks
/// from too far back that it has forgotten (410), speaks TLS and wants a token. Tests are
/// its clients that write.
public final class APIServer: TestAPI {
  public let kubeconfig: String
  public var folder: String { files.path }

  private let files: TemporaryFolder
  private let store = ObjectStore()
  private let channel: any Channel
  private let connections: Connections

  public init(_ place: APIPlace = APIPlace()) async throws {
    files = try TemporaryFolder("api")
    let folder = files.path
    let set = try CertificateSet(hosts: [place.address] + place.names, now: Date())
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
    let (socket, port) = try place.bound()
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
    var place = place
    place.port = port
    kubeconfig = try place.writeKubeconfig(to: folder)
    try setToken("first")
  }

  deinit { channel.close(promise: nil) }

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

  /// Says nothing more to those that watch now, and leaves their connections open.
  public func mute() { store.mute() }

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
