import Foundation
import Yams

/// The agent's service account and what it may do, as `deploy/kubernetes/base` has them.
enum AgentRights {
  private static let namespace = "kube-system"
  static let account = "/api/v1/namespaces/\(namespace)/serviceaccounts/infraagent-sa"

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("deploy/kubernetes/base")

  /// Path of the API and object.
  static func objects() throws -> [(path: String, tree: [String: Any])] {
    try ["service-accounts.yaml", "rbac.yaml"].flatMap { file in
      let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
      return try load_all(yaml: text).compactMap { $0 as? [String: Any] }.map(place)
    }
  }

  /// Where it belongs, in the namespace that kustomize gives it.
  private static func place(_ object: [String: Any]) throws -> (String, [String: Any]) {
    var object = object
    guard let kind = object["kind"] as? String,
      var metadata = object["metadata"] as? [String: Any], let name = metadata["name"] as? String
    else { throw Unexpected(text: "a manifest without kind or name") }
    switch kind {
    case "ServiceAccount":
      metadata["namespace"] = namespace
      object["metadata"] = metadata
      return ("/api/v1/namespaces/\(namespace)/serviceaccounts/\(name)", object)
    case "ClusterRole", "ClusterRoleBinding":
      return ("/apis/rbac.authorization.k8s.io/v1/\(kind.lowercased())s/\(name)", object)
    default: throw Unexpected(text: "the rights have a \(kind)")
    }
  }
}
