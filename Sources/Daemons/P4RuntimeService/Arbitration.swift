import P4RuntimeCodec
import P4RuntimeProtos

/// Who is primary of which role (P4Runtime 1.4, section 5). A value: streams in,
/// notifications out.
struct Arbitration: Sendable {
  typealias StreamID = UInt64

  /// A message that a stream has to get.
  struct Notification: Sendable {
    var stream: StreamID
    var update: P4_V1_MasterArbitrationUpdate
  }

  private struct Role: Sendable {
    /// Live streams with their election ids; nil is unset and never wins.
    var streams: [StreamID: ElectionID?] = [:]
    /// The highest id ever seen.
    var highest: ElectionID?

    var primary: StreamID? {
      guard let highest else { return nil }
      return streams.first { $0.value == highest }?.key
    }
  }

  let deviceID: UInt64
  /// Streams that one role may have.
  let maximumStreams: Int
  /// Roles that are remembered, the default role included, which always is. A role that had a
  /// primary stays when its controllers go, for its highest election id.
  let maximumRoles: Int
  private var roles: [String: Role] = ["": Role()]
  private var roleOfStream: [StreamID: String] = [:]

  init(deviceID: UInt64, maximumStreams: Int, maximumRoles: Int) {
    self.deviceID = deviceID
    self.maximumStreams = maximumStreams
    self.maximumRoles = maximumRoles
  }

  /// Whether a role was ever arbitrated for, or is the default role.
  func isKnown(role: String) -> Bool { roles[role] != nil }

  func isPrimary(role: String, electionID: ElectionID?) -> Bool {
    guard let electionID, let role = roles[role] else { return false }
    return role.primary != nil && role.highest == electionID
  }

  /// Whether a stream has a role.
  func knows(_ stream: StreamID) -> Bool { roleOfStream[stream] != nil }

  func isPrimary(_ stream: StreamID) -> Bool {
    guard let name = roleOfStream[stream], let role = roles[name] else { return false }
    return role.primary == stream
  }

  /// The streams that get what the data plane reports: the primaries of roles with
  /// full access, which all roles have here.
  var primaries: [StreamID] { roles.values.compactMap(\.primary) }

  /// Takes a stream's wish.
  ///
  /// - Throws: ``P4Error`` with which the stream has to end.
  mutating func update(
    _ stream: StreamID, _ message: P4_V1_MasterArbitrationUpdate
  ) throws(P4Error) -> [Notification] {
    let isNew = roleOfStream[stream] == nil
    guard message.deviceID == deviceID else {
      throw P4Error(
        isNew ? .notFound : .failedPrecondition,
        "device \(message.deviceID) is not here; this is device \(deviceID)")
    }
    let name = message.role.name
    if let present = roleOfStream[stream], present != name {
      throw P4Error(
        .failedPrecondition, "the stream has the role \"\(present)\"; open another for \"\(name)\"")
    }
    guard !message.role.hasConfig else {
      throw P4Error(
        .invalidArgument, "role configurations are not served; leave role.config unset")
    }
    let id = message.hasElectionID ? ElectionID(message.electionID) : nil
    var role = roles[name] ?? Role()
    if let id, role.streams.contains(where: { $0.key != stream && $0.value == id }) {
      throw P4Error(.invalidArgument, "another live controller has this election id")
    }
    guard !isNew || role.streams.count < maximumStreams else {
      throw P4Error(.resourceExhausted, "the role has \(maximumStreams) controllers already")
    }
    guard roles[name] != nil || roles.count < maximumRoles else {
      throw P4Error(.resourceExhausted, "there are \(maximumRoles) roles already")
    }
    let wasPrimary = role.primary == stream
    role.streams[stream] = .some(id)
    if let id, role.highest.map({ id >= $0 }) ?? true { role.highest = id }
    roles[name] = role
    roleOfStream[stream] = name
    let all = role.primary == stream || wasPrimary
    return notifications(name, to: all ? nil : stream)
  }

  /// A stream has ended.
  mutating func close(_ stream: StreamID) -> [Notification] {
    guard let name = roleOfStream.removeValue(forKey: stream), var role = roles[name] else {
      return []
    }
    let wasPrimary = role.primary == stream
    role.streams[stream] = nil
    let isForgotten = !name.isEmpty && role.streams.isEmpty && role.highest == nil
    roles[name] = isForgotten ? nil : role
    return wasPrimary ? notifications(name, to: nil) : []
  }

  /// - Parameter only: the one stream to tell; nil tells all of the role, the primary
  ///   last.
  private func notifications(_ name: String, to only: StreamID?) -> [Notification] {
    guard let role = roles[name] else { return [] }
    let primary = role.primary
    var streams = only.map { [$0] } ?? role.streams.keys.sorted()
    if let primary, let i = streams.firstIndex(of: primary) {
      streams.append(streams.remove(at: i))
    }
    return streams.map { stream in
      Notification(
        stream: stream,
        update: .with {
          $0.deviceID = deviceID
          if !name.isEmpty { $0.role = .with { $0.name = name } }
          if let highest = role.highest { $0.electionID = highest.message }
          $0.status = .with {
            if stream == primary {
              $0.code = P4Error.Code.ok.rawValue
              $0.message = "you are primary"
            } else if primary != nil {
              $0.code = P4Error.Code.alreadyExists.rawValue
              $0.message = "another controller is primary"
            } else {
              $0.code = P4Error.Code.notFound.rawValue
              $0.message = "there is no primary"
            }
          }
        })
    }
  }
}
