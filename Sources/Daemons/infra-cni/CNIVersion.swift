/// The versions of the specification that this plugin speaks.
enum CNIVersion: String, CaseIterable, Codable {
  case v1 = "1.0.0"
  case v11 = "1.1.0"

  static let latest = v11
}
