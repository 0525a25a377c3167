/// The versions of the specification that this plugin speaks.
enum CNIVersion: String, CaseIterable, Codable {
  case v1_0 = "1.0.0"
  case v1_1 = "1.1.0"

  static let latest = v1_1
}
