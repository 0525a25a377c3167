import Foundation
import Kubernetes
import NIOCore
import NIOHTTP1
import Synchronization

/// What a stand-in API server keeps: objects, and what has happened to them.
final class ObjectStore: Sendable {
  struct Event {
    var version: Int
    var path: String
    var name: ObjectName
    /// A line of a watch.
    var line: String
  }

  private struct State {
    var version = 1
    /// Events up to this version are forgotten.
    var compacted = 0
    /// path → name → JSON.
    var objects: [String: [ObjectName: String]] = [:]
    var events: [Event] = []
    var watches: [ObjectIdentifier: (channel: any Channel, path: String, name: String?)] = [:]
    /// Lists that are read page by page.
    var snapshots: [String: [String]] = [:]
  }

  let token = Mutex("")
  let lists = Mutex(0)
  private let state = Mutex(State())

  private func change(
    _ path: String, _ name: ObjectName, _ body: (inout State, Int) -> String?
  ) {
    state.withLock { state in
      let version = state.version + 1
      guard let line = body(&state, version) else { return }
      state.version = version
      state.events.append(Event(version: version, path: path, name: name, line: line))
      for watch in state.watches.values
      where watch.path == path && watch.name ?? name.name == name.name {
        Self.write(line, to: watch.channel)
      }
    }
  }

  func put<Object: KubernetesObject>(_ object: Object) {
    change(Object.path, object.objectName) { state, version in
      let json = Self.json(object, version)
      let type = state.objects[Object.path]?[object.objectName] == nil ? "ADDED" : "MODIFIED"
      state.objects[Object.path, default: [:]][object.objectName] = json
      return "{\"type\":\"\(type)\",\"object\":\(json)}\n"
    }
  }

  func delete(_ path: String, _ name: ObjectName) {
    change(path, name) { state, version in
      guard let json = state.objects[path]?.removeValue(forKey: name) else { return nil }
      // The object as it was, with the version of its end.
      let last = json.replacing(
        /"resourceVersion":"\d+"/, with: "\"resourceVersion\":\"\(version)\"")
      return "{\"type\":\"DELETED\",\"object\":\(last)}\n"
    }
  }

  func compact() { state.withLock { $0.compacted = $0.version } }

  func bookmark() {
    state.withLock { state in
      for watch in state.watches.values {
        Self.write(
          "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"X\",\"metadata\":"
            + "{\"resourceVersion\":\"\(state.version)\",\"creationTimestamp\":null}}}\n",
          to: watch.channel)
      }
    }
  }

  func expireWatches() {
    state.withLock { state in
      for watch in state.watches.values {
        Self.write("{\"type\":\"ERROR\",\"object\":\(Self.gone)}\n", to: watch.channel)
        watch.channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
      }
      state.watches = [:]
    }
  }

  func mute() { state.withLock { $0.watches = [:] } }

  func breakLines() {
    state.withLock { state in
      for watch in state.watches.values {
        Self.write("{\"type\":\"MODIFIED\",\"object\":{\"meta", to: watch.channel)
      }
      state.watches = [:]
    }
  }

  static let gone =
    "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"too old resource version\"}"

  /// A page of a list, or nil when what it goes on from is forgotten.
  func list(_ path: String, name: String?, limit: Int, from: String?) -> String? {
    state.withLock { state in
      var (version, offset) = (state.version, 0)
      if let from {
        let parts = from.split(separator: ".").compactMap { Int($0) }
        guard parts.count == 2, parts[0] > state.compacted else { return nil }
        (version, offset) = (parts[0], parts[1])
      } else {
        lists.withLock { $0 += 1 }
      }
      let key = "\(path).\(version)"
      let all =
        state.snapshots[key]
        ?? (state.objects[path] ?? [:]).sorted { $0.key < $1.key }
        .filter { name == nil || $0.key.name == name }.map(\.value)
      let end = min(offset + limit, all.count)
      let next = end < all.count ? ",\"continue\":\"\(version).\(end)\"" : ""
      state.snapshots[key] = next.isEmpty ? nil : all
      return "{\"metadata\":{\"resourceVersion\":\"\(version)\"\(next)},\"items\":["
        + all[offset..<end].joined(separator: ",") + "]}"
    }
  }

  /// Begins a watch: tells what happened since, and from then on what happens.
  ///
  /// - Returns: false when that is forgotten.
  func watch(_ path: String, name: String?, from version: Int, _ channel: any Channel) -> Bool {
    state.withLock { state in
      guard version >= state.compacted else { return false }
      var head = HTTPResponseHead(version: .http1_1, status: .ok)
      head.headers = ["content-type": "application/json", "transfer-encoding": "chunked"]
      channel.writeAndFlush(HTTPServerResponsePart.head(head), promise: nil)
      for event in state.events
      where event.version > version && event.path == path
        && name ?? event.name.name
          == event.name.name
      {
        Self.write(event.line, to: channel)
      }
      let id = ObjectIdentifier(channel)
      state.watches[id] = (channel, path, name)
      channel.closeFuture.whenComplete { [self] _ in
        self.state.withLock { $0.watches[id] = nil }
      }
      return true
    }
  }

  private static func write(_ text: String, to channel: any Channel) {
    channel.writeAndFlush(
      HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
  }

  /// As the server would have it, with fields that no client of ours knows.
  private static func json<Object: KubernetesObject>(_ object: Object, _ version: Int) -> String {
    guard let data = try? JSONEncoder().encode(object),
      var tree = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { return "{}" }
    var metadata = tree["metadata"] as? [String: Any] ?? [:]
    metadata["resourceVersion"] = "\(version)"
    metadata["uid"] = "00000000-0000-0000-0000-000000000000"
    metadata["managedFields"] = [["manager": "test", "fieldsV1": ["f:spec": [String: String]()]]]
    tree["metadata"] = metadata
    tree["status"] = ["conditions": [String]()]
    guard let data = try? JSONSerialization.data(withJSONObject: tree, options: .sortedKeys) else {
      return "{}"
    }
    return String(decoding: data, as: UTF8.self)
  }
}
