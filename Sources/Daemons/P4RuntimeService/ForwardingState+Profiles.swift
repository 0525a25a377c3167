import Core
import Foundation
import P4RuntimeCodec
import P4RuntimeProtos

extension ForwardingState {
  func state(_ profile: P4Program.Profile) -> ProfileState {
    profiles[profile.id] ?? ProfileState(profile)
  }

  /// In place: a copy would cost a batch its square.
  private mutating func edit<Result>(
    _ profile: P4Program.Profile, _ body: (inout ProfileState) -> Result
  ) -> Result {
    body(&profiles[profile.id, default: ProfileState(profile)])
  }

  private func profile(_ id: UInt32) throws(P4Error) -> P4Program.Profile {
    guard let profile = program.profiles[id] else { throw unknown("action profile", id) }
    return profile
  }

  mutating func perform(
    _ type: P4_V1_Update.TypeEnum, _ message: P4_V1_ActionProfileMember
  ) throws(P4Error) -> Change {
    let profile = try profile(message.actionProfileID)
    let id = message.memberID
    guard id != 0 else { throw P4Error(.invalidArgument, "the member id is not set") }
    let old = state(profile).members[id]
    guard (old == nil) == (type == .insert) else {
      throw old == nil
        ? P4Error(.notFound, "\(profile.name) has no member \(id)")
        : P4Error(.alreadyExists, "\(profile.name) has a member \(id); MODIFY it")
    }
    var change = Change()
    func note(_ step: ProfileState.Step) { change.steps.append(.profile(profile.id, step)) }

    if type == .delete, let old {
      guard state(profile).memberUses[id] == nil else {
        throw P4Error(
          .failedPrecondition, "member \(id) of \(profile.name) is in use by groups or entries")
      }
      change.engine.append(.delete(table: profile.memberTable, key: [UInt64(old.engineID)]))
      note(edit(profile) { $0.setMember(id, nil) })
      note(edit(profile) { $0.returnMemberID(old.engineID) })
      return change
    }
    guard state(profile).oneShots.isEmpty else { throw mixing(profile) }
    guard message.hasAction else {
      throw P4Error(.invalidArgument, "member \(id) of \(profile.name) has no action")
    }
    let call = try program.call(message.action, allowed: profile.actions, of: profile.name)
    if let old {
      change.engine.append(.modify(program.engineMember(profile, old.engineID, call)))
      note(
        edit(profile) { $0.setMember(id, ProfileState.Member(call: call, engineID: old.engineID)) })
    } else {
      guard let (engineID, step) = edit(profile, { $0.takeMemberID() }) else {
        throw P4Error(.resourceExhausted, "\(profile.name) has no room for another member")
      }
      note(step)
      change.engine.append(.insert(program.engineMember(profile, engineID, call)))
      note(edit(profile) { $0.setMember(id, ProfileState.Member(call: call, engineID: engineID)) })
    }
    return change
  }

  mutating func perform(
    _ type: P4_V1_Update.TypeEnum, _ message: P4_V1_ActionProfileGroup
  ) throws(P4Error) -> Change {
    let profile = try profile(message.actionProfileID)
    guard let selector = profile.selector else {
      throw P4Error(.invalidArgument, "\(profile.name) has no selector, so it has no groups")
    }
    let id = message.groupID
    guard id != 0 else { throw P4Error(.invalidArgument, "the group id is not set") }
    let old = state(profile).groups[id]
    guard (old == nil) == (type == .insert) else {
      throw old == nil
        ? P4Error(.notFound, "\(profile.name) has no group \(id)")
        : P4Error(.alreadyExists, "\(profile.name) has a group \(id); MODIFY it")
    }
    var change = Change()
    func note(_ step: ProfileState.Step) { change.steps.append(.profile(profile.id, step)) }

    if type == .delete, let old {
      guard state(profile).groupUses[id] == nil else {
        throw P4Error(.failedPrecondition, "group \(id) of \(profile.name) is in use by entries")
      }
      change.engine.append(
        .setGroup(selector: selector.name, group: old.engineID, members: []))
      for member in old.members { note(edit(profile) { $0.useMember(member.choice, -1) }) }
      note(edit(profile) { $0.setGroup(id, nil) })
      note(edit(profile) { $0.returnGroupID(old.engineID) })
      return change
    }
    guard state(profile).oneShots.isEmpty else { throw mixing(profile) }
    let members = try members(of: message, profile)
    let maximum = try maximumSize(of: message, profile, selector, old: old)
    try refuseOversize(members, maximum, profile, selector)

    let engineID: UInt32
    if let old {
      engineID = old.engineID
    } else {
      guard let (fresh, step) = edit(profile, { $0.takeGroupID() }) else {
        throw P4Error(
          .resourceExhausted, "\(profile.name) has room for \(selector.maximumGroups) groups")
      }
      engineID = fresh
      note(step)
    }
    for member in members { note(edit(profile) { $0.useMember(member.choice, 1) }) }
    for member in old?.members ?? [] { note(edit(profile) { $0.useMember(member.choice, -1) }) }
    let group = ProfileState.Group(
      members: members, maximumSize: message.maxSize, engineID: engineID)
    note(edit(profile) { $0.setGroup(id, group) })
    change.engine.append(
      .setGroup(
        selector: selector.name, group: engineID,
        members: members.compactMap { member in
          state(profile).members[member.choice].map {
            GroupMember(id: $0.engineID, weight: Self.engineWeight(member.weight))
          }
        }))
    return change
  }

  /// An unset weight counts as 1: P4Runtime forbids it, upstream's manager sends it.
  static func engineWeight(_ weight: Int32) -> UInt32 { UInt32(max(1, weight)) }

  private func members(
    of message: P4_V1_ActionProfileGroup, _ profile: P4Program.Profile
  ) throws(P4Error) -> [Weighted<UInt32>] {
    var seen: Set<UInt32> = []
    var members: [Weighted<UInt32>] = []
    for member in message.members {
      guard seen.insert(member.memberID).inserted else {
        throw P4Error(
          .invalidArgument, "member \(member.memberID) is listed twice; use its weight instead")
      }
      guard state(profile).members[member.memberID] != nil else {
        throw P4Error(.notFound, "\(profile.name) has no member \(member.memberID)")
      }
      switch member.watchKind {
      case nil: break
      case .watchPort(let port) where port.isEmpty: break
      default: throw Self.noWatchPorts
      }
      try Self.refuse(weight: member.weight, of: "member \(member.memberID)", profile)
      members.append(Weighted(member.memberID, weight: member.weight))
    }
    return members
  }

  private static var noWatchPorts: P4Error {
    P4Error(.unimplemented, "watch ports are not served by this target")
  }

  private static func refuse(
    weight: Int32, of what: String, _ profile: P4Program.Profile
  ) throws(P4Error) {
    guard weight >= 0 else {
      throw P4Error(.invalidArgument, "\(what) has the weight \(weight); it must be positive")
    }
    if !profile.countsWeights, profile.maximumMemberWeight > 0,
      weight > profile.maximumMemberWeight
    {
      throw P4Error(
        .invalidArgument,
        "\(what) has the weight \(weight); \(profile.name) takes \(profile.maximumMemberWeight)")
    }
  }

  /// The rules of P4Runtime 1.4, 9.2.2 on `max_size`.
  private func maximumSize(
    of message: P4_V1_ActionProfileGroup, _ profile: P4Program.Profile,
    _ selector: Contract.Selector, old: ProfileState.Group?
  ) throws(P4Error) -> Int {
    let size = message.maxSize
    if let old, old.maximumSize != size {
      throw P4Error(
        .invalidArgument, "max_size was \(old.maximumSize) at the insertion and cannot change")
    }
    guard size >= 0 else { throw P4Error(.invalidArgument, "max_size is negative") }
    if profile.maximumGroupSize > 0 {
      guard size > 0, size <= profile.maximumGroupSize else {
        throw P4Error(
          .invalidArgument, "max_size must be 1 to \(profile.maximumGroupSize) in \(profile.name)")
      }
    }
    guard size <= selector.maximumMembers else {
      throw P4Error(
        .resourceExhausted, "groups of \(profile.name) can have \(selector.maximumMembers)")
    }
    return size == 0 ? selector.maximumMembers : Int(size)
  }

  private func refuseOversize<Choice>(
    _ members: [Weighted<Choice>], _ maximum: Int, _ profile: P4Program.Profile,
    _ selector: Contract.Selector
  ) throws(P4Error) {
    let weights = members.reduce(0) { $0 + Int(Self.engineWeight($1.weight)) }
    let size = profile.countsWeights ? weights : members.count
    guard size <= maximum, weights <= selector.maximumMembers else {
      throw P4Error(
        .resourceExhausted, "the group is larger than \(min(maximum, selector.maximumMembers))")
    }
  }

  /// The actions of a one-shot set.
  func oneShot(
    _ set: P4_V1_ActionProfileActionSet, _ profile: P4Program.Profile
  ) throws(P4Error) -> [Weighted<ActionCall>] {
    var actions: [Weighted<ActionCall>] = []
    for item in set.actionProfileActions {
      guard item.hasAction else {
        throw P4Error(.invalidArgument, "an action of the set is not given")
      }
      switch item.watchKind {
      case nil: break
      case .watchPort(let port) where port.isEmpty: break
      default: throw Self.noWatchPorts
      }
      guard item.weight > 0 else {
        throw P4Error(.invalidArgument, "an action of the set has the weight \(item.weight)")
      }
      try Self.refuse(weight: item.weight, of: "an action of the set", profile)
      actions.append(
        Weighted(
          try program.call(item.action, allowed: profile.actions, of: profile.name),
          weight: item.weight))
    }
    let weights = actions.reduce(0) { $0 + Int($1.weight) }
    let size = profile.countsWeights ? weights : actions.count
    if profile.maximumGroupSize > 0, size > profile.maximumGroupSize {
      throw P4Error(
        .invalidArgument, "\(profile.name) takes groups of \(profile.maximumGroupSize) at most")
    }
    guard let selector = profile.selector, weights <= selector.maximumMembers else {
      throw P4Error(.resourceExhausted, "the weights of the set add up to too much")
    }
    return actions
  }

  /// A selector is used with one-shot sets, or with members and groups, never both.
  func refuseMixing(_ action: RowAction, _ table: P4Program.Table) throws(P4Error) {
    guard let profile = table.profile.flatMap({ program.profiles[$0] }),
      case .oneShot = action
    else { return }
    guard state(profile).members.isEmpty, state(profile).groups.isEmpty else {
      throw mixing(profile)
    }
  }

  private func mixing(_ profile: P4Program.Profile) -> P4Error {
    P4Error(
      .invalidArgument,
      "\(profile.name) is used with \(profiles[profile.id]?.oneShots.isEmpty == false ? "one-shot sets" : "members and groups"); it cannot be used both ways"
    )
  }

  /// Where the engine's row of an indirect table points.
  struct Target {
    var action: String
    var id: UInt32
  }

  /// Counts an entry's use of a member or group, or makes the group of a one-shot set.
  mutating func acquire(
    _ action: RowAction, _ profileID: UInt32, _ table: P4Program.Table, _ key: MatchKey,
    _ change: inout Change
  ) throws(P4Error) -> Target {
    let profile = try profile(profileID)
    func note(_ step: ProfileState.Step) { change.steps.append(.profile(profileID, step)) }
    let target: Target
    switch action {
    case .call: throw P4Error(.internal, "\(table.name) has an action profile")
    case .member(let id):
      note(edit(profile) { $0.useMember(id, 1) })
      target = Target(
        action: table.engineTable + "_set_member_id", id: state(profile).members[id]?.engineID ?? 0)
    case .group(let id):
      note(edit(profile) { $0.useGroup(id, 1) })
      target = Target(
        action: table.engineTable + "_set_group_id", id: state(profile).groups[id]?.engineID ?? 0)
    case .oneShot(let actions):
      guard let selector = profile.selector, let (group, step) = edit(profile, { $0.takeGroupID() })
      else {
        throw P4Error(
          .resourceExhausted,
          "\(profile.name) has room for \(profile.selector?.maximumGroups ?? 0) groups")
      }
      note(step)
      var members: [UInt32] = []
      for item in actions {
        guard let (member, step) = edit(profile, { $0.takeMemberID() }) else {
          throw P4Error(.resourceExhausted, "\(profile.name) has no room for another member")
        }
        note(step)
        members.append(member)
        change.engine.append(.insert(program.engineMember(profile, member, item.choice)))
      }
      change.engine.append(
        .setGroup(
          selector: selector.name, group: group,
          members: zip(members, actions).map {
            GroupMember(id: $0, weight: Self.engineWeight($1.weight))
          }))
      let set = ProfileState.OneShot(group: group, members: members)
      note(edit(profile) { $0.setOneShot(ProfileState.RowID(table: table.id, key: key), set) })
      target = Target(action: table.engineTable + "_set_group_id", id: group)
    }
    return target
  }

  /// The other half of ``acquire(_:_:_:_:_:)``, for what an entry had before.
  mutating func release(
    _ action: RowAction, _ profileID: UInt32, _ row: ProfileState.RowID, _ change: inout Change
  ) {
    guard let profile = program.profiles[profileID] else { return }
    func note(_ step: ProfileState.Step) { change.steps.append(.profile(profileID, step)) }
    switch action {
    case .call: break
    case .member(let id): note(edit(profile) { $0.useMember(id, -1) })
    case .group(let id): note(edit(profile) { $0.useGroup(id, -1) })
    case .oneShot:
      guard let set = profiles[profileID]?.oneShots[row], let selector = profile.selector else {
        break
      }
      change.engine.append(.setGroup(selector: selector.name, group: set.group, members: []))
      for member in set.members {
        change.engine.append(.delete(table: profile.memberTable, key: [UInt64(member)]))
        note(edit(profile) { $0.returnMemberID(member) })
      }
      note(edit(profile) { $0.returnGroupID(set.group) })
      note(edit(profile) { $0.setOneShot(row, nil) })
    }
  }
}
