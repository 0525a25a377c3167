/// meta/v1 Status: why a request failed.
struct Status: Decodable {
  var code: Int?
  var reason: String?
  var message: String?

  func error(_ kind: String) -> KubernetesError {
    let text = "\(kind)s: \(code ?? 0) \(message ?? reason ?? "")"
    return switch code {
    case 410: KubernetesError(.expired, text)
    case 401: KubernetesError(.refused, "\(text); the token or the certificate is not valid")
    case 403:
      KubernetesError(.refused, "\(text); allow this identity to list and watch \(kind)s (RBAC)")
    case 404, 400: KubernetesError(.protocolError, text)
    default: KubernetesError(.unreachable, text)
    }
  }
}
