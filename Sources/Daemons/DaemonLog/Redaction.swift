/// Keeps out of the log what would let its reader act for somebody else: keys, certificates,
/// tokens, passwords. No code here means to log one; errors of others may quote what they were
/// given.
enum Redaction {
  static let mark = "(redacted)"

  static func apply(to text: String) -> String {
    var text = text
    // PEM (RFC 7468), to its end or, cut off, to the text's.
    if text.contains("-----BEGIN ") {
      text.replace(/-----BEGIN [A-Z0-9 ]+-----(?s:.*?)(?:-----END [A-Z0-9 ]+-----|$)/, with: mark)
    }
    // The same in base64, as kubeconfigs have it.
    if text.contains("LS0tLS1CRUdJT") {
      text.replace(/LS0tLS1CRUdJT[A-Za-z0-9+\/=]*/, with: mark)
    }
    // Who somebody is, in a URL (RFC 3986, section 3.2.1).
    if text.contains("://"), text.contains("@") {
      text.replace(/:\/\/[^\/\s@]+@/, with: "://\(mark)@")
    }
    // JSON Web Tokens, as service accounts have them.
    if text.contains("eyJ") {
      text.replace(/eyJ[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*)*/, with: mark)
    }
    let lower = text.lowercased()
    if lower.contains("bearer ") {
      text.replace(/(?i:bearer) +[A-Za-z0-9._~+\/=\-]+/, with: "Bearer \(mark)")
    }
    if lower.contains("password") || lower.contains("token") || lower.contains("secret") {
      text.replace(/(?i:password|token|secret)["']?[=:] *["']?([A-Za-z0-9._~+\/=\-]{8,})/) {
        $0.0.dropLast($0.1.count) + mark
      }
    }
    return text
  }
}
