import Core
import P4RuntimeCodec

/// The members and groups of one action profile.
///
/// A controller chooses any 32-bit ids. The engine's selector keeps its members in an
/// array, so it is given small ids of our own; 0 is never used, because it is what an
/// empty group selects.
struct ProfileState: Sendable {
  struct Member: Hashable, Sendable {
    var call: ActionCall
    var engineID: UInt32
  }

  struct Group: Hashable, Sendable {
    var members: [Weighted<UInt32>]
    var maximumSize: Int32
    var engineID: UInt32
  }

  /// The engine's ids behind an entry with a one-shot set.
  struct OneShot: Hashable, Sendable {
    var group: UInt32
    var members: [UInt32]
  }

  struct RowID: Hashable, Sendable {
    var table: UInt32
    var key: MatchKey
  }

  enum Step: Sendable {
    case member(UInt32, old: Member?)
    case group(UInt32, old: Group?)
    case oneShot(RowID, old: OneShot?)
    case memberUses(UInt32, Int)
    case groupUses(UInt32, Int)
    case memberID(IDPool.Step)
    case groupID(IDPool.Step)
  }

  private(set) var members: [UInt32: Member] = [:]
  private(set) var groups: [UInt32: Group] = [:]
  private(set) var oneShots: [RowID: OneShot] = [:]
  /// How many groups and entries point at a member, and entries at a group.
  private(set) var memberUses: [UInt32: Int] = [:]
  private(set) var groupUses: [UInt32: Int] = [:]
  private var memberIDs: IDPool
  private var groupIDs: IDPool

  init(_ profile: P4Program.Profile) {
    let members = profile.selector?.maximumMembers ?? Int(Int32.max)
    memberIDs = IDPool(1..<UInt32(clamping: max(1, members)))
    groupIDs = IDPool(0..<UInt32(clamping: max(0, profile.selector?.maximumGroups ?? 0)))
  }

  mutating func setMember(_ id: UInt32, _ member: Member?) -> Step {
    defer { members[id] = member }
    return .member(id, old: members[id])
  }

  mutating func setGroup(_ id: UInt32, _ group: Group?) -> Step {
    defer { groups[id] = group }
    return .group(id, old: groups[id])
  }

  mutating func setOneShot(_ row: RowID, _ set: OneShot?) -> Step {
    defer { oneShots[row] = set }
    return .oneShot(row, old: oneShots[row])
  }

  mutating func useMember(_ id: UInt32, _ delta: Int) -> Step {
    memberUses[id, default: 0] += delta
    if memberUses[id] == 0 { memberUses[id] = nil }
    return .memberUses(id, delta)
  }

  mutating func useGroup(_ id: UInt32, _ delta: Int) -> Step {
    groupUses[id, default: 0] += delta
    if groupUses[id] == 0 { groupUses[id] = nil }
    return .groupUses(id, delta)
  }

  mutating func takeMemberID() -> (UInt32, Step)? {
    memberIDs.take().map { ($0, .memberID(.took($0))) }
  }

  mutating func takeGroupID() -> (UInt32, Step)? {
    groupIDs.take().map { ($0, .groupID(.took($0))) }
  }

  mutating func returnMemberID(_ id: UInt32) -> Step {
    memberIDs.giveBack(id)
    return .memberID(.gaveBack(id))
  }

  mutating func returnGroupID(_ id: UInt32) -> Step {
    groupIDs.giveBack(id)
    return .groupID(.gaveBack(id))
  }

  mutating func undo(_ step: Step) {
    switch step {
    case .member(let id, let old): members[id] = old
    case .group(let id, let old): groups[id] = old
    case .oneShot(let row, let old): oneShots[row] = old
    case .memberUses(let id, let delta): _ = useMember(id, -delta)
    case .groupUses(let id, let delta): _ = useGroup(id, -delta)
    case .memberID(let step): memberIDs.undo(step)
    case .groupID(let step): groupIDs.undo(step)
    }
  }
}
