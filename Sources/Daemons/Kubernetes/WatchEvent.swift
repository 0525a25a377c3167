import Foundation
import NIOCore
import NIOFoundationCompat

/// One line of a watch.
public enum WatchEvent<Object: KubernetesObject>: Sendable {
  case changed(Object)
  case deleted(Object)
  /// Nothing has changed up to this version.
  case bookmark(String)

  /// - Throws: ``KubernetesError``, also the one that the line tells of.
  init(line: ByteBuffer) throws(KubernetesError) {
    let failure: Status
    do {
      let decoder = JSONDecoder()
      switch try decoder.decode(Line.self, from: line).type {
      case "ADDED", "MODIFIED":
        self = .changed(try decoder.decode(ObjectLine<Object>.self, from: line).object)
        return
      case "DELETED":
        self = .deleted(try decoder.decode(ObjectLine<Object>.self, from: line).object)
        return
      case "BOOKMARK":
        self = .bookmark(
          try decoder.decode(ObjectLine<Versioned>.self, from: line).object.metadata
            .resourceVersion)
        return
      case "ERROR": failure = try decoder.decode(ObjectLine<Status>.self, from: line).object
      case let type: throw KubernetesError(.protocolError, "\(type) is no event of a watch")
      }
    } catch let error as KubernetesError {
      throw error
    } catch {
      throw KubernetesError(
        .protocolError, "an event of \(Object.kind)s cannot be understood: \(error)")
    }
    throw failure.error(Object.kind)
  }
}

private struct Line: Decodable { var type: String }

private struct ObjectLine<Object: Decodable>: Decodable { var object: Object }

private struct Versioned: Decodable {
  struct Metadata: Decodable { var resourceVersion: String }
  var metadata: Metadata
}
