import HTTPServing

/// `GET /check`, which Calico's CNI plugin asks before each pod: 200 when all is well, else
/// 500, with the reasons as JSON.
public enum CheckPage {
  /// A condition of being well, and whether it is met.
  public typealias Conditions = [String: Bool]

  public static func answer(_ conditions: Conditions) -> HTTPAnswer {
    let lines = conditions.sorted { $0.key < $1.key }.map { "  \"\($0.key)\": \($0.value)" }
    return .json(
      "{\n" + lines.joined(separator: ",\n") + "\n}\n",
      conditions.values.allSatisfy(\.self) ? .ok : .internalServerError)
  }
}
