import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL

/// Lists and watches over HTTP.
public final class KubernetesClient: Sendable {
  /// One page of a list.
  public struct Page<Object: KubernetesObject>: Decodable, Sendable {
    struct Metadata: Decodable {
      var resourceVersion: String?
      var `continue`: String?
    }
    var metadata: Metadata
    var items: [Object]?
  }

  private let cluster: Cluster
  private let http: HTTPClient

  /// A list of 500 large Services is some megabytes.
  private static var largestPage: Int { 256 << 20 }
  /// etcd takes objects of 1.5 MiB, which are longer as JSON.
  static var longestLine: Int { 16 << 20 }
  private static var pageSize: Int { 500 }
  /// Seconds until the server ends a watch, as client-go asks for: between 5 and 10 minutes.
  private static var watchSeconds: ClosedRange<Int> { 300...600 }
  private static var patience: TimeAmount { .seconds(30) }

  /// - Parameter silence: how long a watch may say nothing before its connection is taken for
  ///   dead. Bookmarks come each minute.
  public init(
    _ cluster: Cluster, silence: Duration = .seconds(130)
  ) throws(KubernetesError) {
    self.cluster = cluster
    var tls = TLSConfiguration.makeClientConfiguration()
    if let authorities = cluster.authorities { tls.trustRoots = .certificates(authorities) }
    if !cluster.verifiesHostname { tls.certificateVerification = .none }
    tls.certificateChain = cluster.clientCertificates.map { .certificate($0) }
    tls.privateKey = cluster.clientKey.map { .privateKey($0) }
    var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
    configuration.timeout.connect = .seconds(5)
    configuration.timeout.read = .nanoseconds(Int64(silence / .nanoseconds(1)))
    configuration.httpVersion = .http1Only
    http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  public func shutdown() async { try? await http.shutdown() }

  /// All objects of a kind, page after page.
  ///
  /// - Parameter selector: of fields, such as `metadata.name=node-1`.
  /// - Returns: the objects and the version of the list.
  /// - Throws: ``KubernetesError``: `expired` when the list changed too much between pages.
  public func list<Object: KubernetesObject>(
    _: Object.Type, selector: String? = nil
  ) async throws -> (objects: [Object], version: String) {
    var objects: [Object] = []
    var next = ""
    while true {
      var query = ["limit": "\(Self.pageSize)"]
      if !next.isEmpty { query["continue"] = next }
      query["fieldSelector"] = selector
      let response = try await get(Object.self, query, deadline: .now() + Self.patience)
      let body: ByteBuffer
      do {
        body = try await response.body.collect(upTo: Self.largestPage)
      } catch {
        throw KubernetesError(.unreachable, "the list of \(Object.kind)s broke off: \(error)")
      }
      let page: Page<Object>
      do {
        page = try JSONDecoder().decode(Page<Object>.self, from: body)
      } catch {
        throw KubernetesError(
          .protocolError, "the list of \(Object.kind)s cannot be understood: \(error)")
      }
      objects += page.items ?? []
      next = page.metadata.continue ?? ""
      if next.isEmpty { return (objects, page.metadata.resourceVersion ?? "") }
    }
  }

  /// Calls with each change after a version, until the server ends it.
  ///
  /// - Parameter opened: called when the server has begun to answer.
  /// - Throws: ``KubernetesError``: `expired` when the server has forgotten that version.
  public func watch<Object: KubernetesObject>(
    _: Object.Type, from version: String, selector: String? = nil, opened: () -> Void,
    each body: (WatchEvent<Object>) async throws -> Void
  ) async throws {
    let seconds = Int.random(in: Self.watchSeconds)
    var query = [
      "watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version,
      "timeoutSeconds": "\(seconds)",
    ]
    query["fieldSelector"] = selector
    let response = try await get(
      Object.self, query, deadline: .now() + .seconds(Int64(seconds)) + Self.patience)
    opened()
    var lines = WatchLines()
    do {
      for try await part in response.body {
        for line in try lines.take(part) { try await body(try WatchEvent(line: line)) }
      }
    } catch let error as KubernetesError {
      throw error
    } catch let error as CancellationError {
      throw error
    } catch let error as HTTPClientError where error == .readTimeout {
      throw KubernetesError(.unreachable, "the watch of \(Object.kind)s has fallen silent")
    } catch {
      throw KubernetesError(.unreachable, "the watch of \(Object.kind)s broke off: \(error)")
    }
  }

  private func get<Object: KubernetesObject>(
    _: Object.Type, _ query: [String: String], deadline: NIODeadline
  ) async throws -> HTTPClientResponse {
    var components = URLComponents()
    components.queryItems = query.sorted { $0.key < $1.key }.map {
      URLQueryItem(name: $0.key, value: $0.value)
    }
    let text = components.percentEncodedQuery?.replacingOccurrences(of: "+", with: "%2B") ?? ""
    var request = HTTPClientRequest(url: "\(cluster.server)\(Object.path)?\(text)")
    request.headers.add(name: "accept", value: "application/json")
    request.headers.add(name: "user-agent", value: "infraagent")
    if let token = try token() {
      request.headers.add(name: "authorization", value: "Bearer \(token)")
    }
    let response: HTTPClientResponse
    do {
      response = try await http.execute(request, deadline: deadline)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw KubernetesError(
        .unreachable, "\(cluster.server) is not reached: \(error)")
    }
    guard response.status != .ok else { return response }
    let body = try? await response.body.collect(upTo: 1 << 20)
    let status = body.flatMap { try? JSONDecoder().decode(Status.self, from: $0) }
    throw (status ?? Status(code: Int(response.status.code))).error(Object.kind)
  }

  private func token() throws(KubernetesError) -> String? {
    switch cluster.token {
    case .none: return nil
    case .text(let text): return text
    case .file(let path):
      guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
        throw KubernetesError(.configuration, "the token \(path) cannot be read")
      }
      return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }
}
