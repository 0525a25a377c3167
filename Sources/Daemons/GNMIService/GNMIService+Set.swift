import GNMIProtos

extension GNMIService {
  func set(_ request: Gnmi_SetRequest) async throws -> Gnmi_SetResponse {
    try Self.check(request.extension)
    let count = request.delete.count + request.replace.count + request.update.count
    guard count <= limits.operations else {
      throw GNMIError(
        .resourceExhausted, "\(count) operations; at most \(limits.operations) in one Set")
    }
    let operations = try Self.operations(request)
    try await interfaces.set { draft throws(GNMIError) in
      for operation in operations {
        switch operation {
        case .delete(let path): try draft.delete(path)
        case .replace(let path, let value): try draft.replace(path, value)
        case .update(let path, let value): try draft.update(path, value)
        }
      }
    }
    return response(to: request)
  }

  private enum Operation: Sendable {
    case delete(PathPattern)
    case replace(PathPattern, NewValue)
    case update(PathPattern, NewValue)
  }

  /// Deletions, replacements, updates, in this order.
  private static func operations(_ request: Gnmi_SetRequest) throws(GNMIError) -> [Operation] {
    var operations: [Operation] = []
    for path in request.delete {
      operations.append(.delete(try PathPattern(path, prefix: request.prefix)))
    }
    for update in request.replace {
      let path = try PathPattern(update.path, prefix: request.prefix)
      operations.append(.replace(path, try NewValue(update, path)))
    }
    for update in request.update {
      let path = try PathPattern(update.path, prefix: request.prefix)
      operations.append(.update(path, try NewValue(update, path)))
    }
    return operations
  }

  private func response(to request: Gnmi_SetRequest) -> Gnmi_SetResponse {
    let now = Interfaces.now()
    func result(_ path: Gnmi_Path, _ op: Gnmi_UpdateResult.Operation) -> Gnmi_UpdateResult {
      .with {
        $0.timestamp = now
        $0.path = path
        $0.op = op
      }
    }
    return .with {
      if request.hasPrefix { $0.prefix = request.prefix }
      $0.response =
        request.delete.map { result($0, .delete) }
        + request.replace.map { result($0.path, .replace) }
        + request.update.map { result($0.path, .update) }
      $0.timestamp = now
    }
  }
}
