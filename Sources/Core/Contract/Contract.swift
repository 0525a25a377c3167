/// What a pipeline offers its control plane: tables, actions, fields and sizes.
///
/// It is read off a `.spec` (see ``PipelineSpec``), never assumed: `k8s_dp` is
/// one contract among others.
public struct Contract: Hashable, Sendable {
  public struct Field: Hashable, Sendable {
    public var name: String
    /// 1...64.
    public var bits: Int
    public init(name: String, bits: Int) {
      self.name = name
      self.bits = bits
    }
    /// The greatest value that fits.
    public var maximum: UInt64 { bits >= 64 ? .max : (1 << UInt64(bits)) - 1 }
  }

  public struct Action: Hashable, Sendable {
    public var name: String
    public var arguments: [Field]
    public init(name: String, arguments: [Field]) {
      self.name = name
      self.arguments = arguments
    }
  }

  public enum MatchKind: String, Hashable, Sendable { case exact, wildcard, lpm }

  public struct Table: Hashable, Sendable {
    public var name: String
    public var key: [Field]
    public var match: MatchKind
    /// Actions an entry may have.
    public var actions: [String]
    public var defaultAction: String
    /// Whether the control plane cannot set what a miss runs.
    public var hasConstantDefault: Bool
    /// The most entries it holds.
    public var size: Int
    public init(
      name: String, key: [Field], match: MatchKind, actions: [String], defaultAction: String,
      hasConstantDefault: Bool = true, size: Int
    ) {
      self.name = name
      self.key = key
      self.match = match
      self.actions = actions
      self.defaultAction = defaultAction
      self.hasConstantDefault = hasConstantDefault
      self.size = size
    }
  }

  public struct Learner: Hashable, Sendable {
    public var name: String
    public var key: [Field]
    public var actions: [String]
    /// Buckets of four entries; a power of two.
    public var buckets: Int
    /// Expire-time profiles in seconds.
    public var timers: [UInt32]
    public init(name: String, key: [Field], actions: [String], buckets: Int, timers: [UInt32]) {
      self.name = name
      self.key = key
      self.actions = actions
      self.buckets = buckets
      self.timers = timers
    }
  }

  public struct Selector: Hashable, Sendable {
    public var name: String
    public var maximumGroups: Int
    public var maximumMembers: Int
    public init(name: String, maximumGroups: Int, maximumMembers: Int) {
      self.name = name
      self.maximumGroups = maximumGroups
      self.maximumMembers = maximumMembers
    }
  }

  public var actions: [String: Action]
  public var tables: [Table]
  public var learners: [Learner]
  public var selectors: [Selector]

  public init(
    actions: [String: Action], tables: [Table], learners: [Learner], selectors: [Selector]
  ) {
    self.actions = actions
    self.tables = tables
    self.learners = learners
    self.selectors = selectors
  }

  public func table(_ name: String) -> Table? { tables.first { $0.name == name } }
}

extension Contract {
  /// The same contract with other sizes for some tables or learners.
  ///
  /// Sizes of learners are buckets, and rounded up to a power of two.
  public func resized(_ sizes: [String: Int]) -> Contract {
    var contract = self
    for i in contract.tables.indices {
      if let size = sizes[contract.tables[i].name] { contract.tables[i].size = size }
    }
    for i in contract.learners.indices {
      guard let size = sizes[contract.learners[i].name] else { continue }
      var buckets = 1
      while buckets < size { buckets *= 2 }
      contract.learners[i].buckets = buckets
    }
    return contract
  }
}
