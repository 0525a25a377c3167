/// The text that `p4c-dpdk` makes of a P4 program, as a value.
///
/// The grammar is that of DPDK 22.11's `rte_swx_pipeline_spec.c`, as far as
/// `p4c-dpdk` uses it. A spec that parses is consistent: every name it uses is
/// defined in it, and every offset fits the engine's 8-bit operands.
public struct PipelineSpec: Hashable, Sendable {
  public struct Field: Hashable, Sendable {
    public var name: String
    /// A multiple of 8; the most it may have if ``isVariable``.
    public var bits: Int
    /// `varbit`: only the last field of a struct may be.
    public var isVariable: Bool
    public init(name: String, bits: Int, isVariable: Bool = false) {
      self.name = name
      self.bits = bits
      self.isVariable = isVariable
    }
  }

  public struct Struct: Hashable, Sendable {
    public var name: String
    public var fields: [Field]
    public var line: Int
    public init(name: String, fields: [Field], line: Int = 0) {
      self.name = name
      self.fields = fields
      self.line = line
    }
    /// The most bytes it takes.
    public var bytes: Int { fields.reduce(0) { $0 + $1.bits } / 8 }
    public func field(_ name: String) -> Field? { fields.first { $0.name == name } }
  }

  public struct Header: Hashable, Sendable {
    public var name: String
    /// The name of its struct.
    public var type: String
    public var line: Int
    public init(name: String, type: String, line: Int = 0) {
      self.name = name
      self.type = type
      self.line = line
    }
  }

  /// One instruction: `LABEL : mov m.a h.b.c`.
  public struct Instruction: Hashable, Sendable {
    public var label: String?
    /// The operation and its operands.
    public var words: [String]
    public var line: Int
    public init(label: String? = nil, words: [String], line: Int = 0) {
      self.label = label
      self.words = words
      self.line = line
    }
    public var operation: String { words.first ?? "" }
    /// As the engine reads it.
    public var text: String {
      (label.map { "\($0) : " } ?? "") + words.joined(separator: " ")
    }
  }

  public struct Action: Hashable, Sendable {
    public var name: String
    /// The name of the struct of its arguments.
    public var arguments: String?
    public var instructions: [Instruction]
    public var line: Int
  }

  public struct Key: Hashable, Sendable {
    /// `h.<header>.<field>` or `m.<field>`.
    public var field: String
    public var match: Contract.MatchKind
  }

  public enum Scope: Hashable, Sendable { case anywhere, tableOnly, defaultOnly }

  public struct ActionReference: Hashable, Sendable {
    public var name: String
    public var scope: Scope
  }

  public struct DefaultAction: Hashable, Sendable {
    public var name: String
    /// One value an argument, in the order of the action's struct.
    public var arguments: [UInt64]
    public var isConstant: Bool
    public init(name: String, arguments: [UInt64], isConstant: Bool) {
      self.name = name
      self.arguments = arguments
      self.isConstant = isConstant
    }
  }

  public struct Table: Hashable, Sendable {
    public var name: String
    public var key: [Key]
    public var actions: [ActionReference]
    public var defaultAction: DefaultAction
    public var size: Int
    public var hash: String?
    public var type: String?
    public var line: Int
    /// The host wants to know when each entry was last hit. No spec says so: who loads it does.
    public var tracksHits = false
  }

  public struct Learner: Hashable, Sendable {
    public var name: String
    /// `h.<header>.<field>` or `m.<field>`, all of one struct.
    public var key: [String]
    public var actions: [ActionReference]
    public var defaultAction: DefaultAction
    /// Buckets of four entries, rounded up to a power of two by the engine.
    public var size: Int
    public var hash: String?
    /// Expire-time profiles in seconds.
    public var timeouts: [UInt32]
    public var line: Int
  }

  public struct Selector: Hashable, Sendable {
    public var name: String
    public var group: String
    public var fields: [String]
    public var member: String
    public var maximumGroups: Int
    public var maximumMembers: Int
    public var line: Int
  }

  /// `regarray`: an array of 64-bit registers.
  public struct RegisterArray: Hashable, Sendable {
    public var name: String
    public var size: Int
    public var initial: UInt64
    public var line: Int
    public init(name: String, size: Int, initial: UInt64, line: Int = 0) {
      self.name = name
      self.size = size
      self.initial = initial
      self.line = line
    }
  }

  /// `metarray`: an array of meters.
  public struct MeterArray: Hashable, Sendable {
    public var name: String
    public var size: Int
    public var line: Int
  }

  /// `extobj`: an object of an external type.
  public struct ExternObject: Hashable, Sendable {
    public var name: String
    public var type: String
    public var arguments: String?
    public var line: Int
  }

  /// The file it came from, for errors.
  public var source: String
  public var structs: [Struct] = []
  public var headers: [Header] = []
  /// The name of the metadata's struct.
  public var metadata = ""
  public var actions: [Action] = []
  public var tables: [Table] = []
  public var selectors: [Selector] = []
  public var learners: [Learner] = []
  public var registers: [RegisterArray] = []
  public var meters: [MeterArray] = []
  public var externs: [ExternObject] = []
  public var apply: [Instruction] = []

  /// An empty spec, for the parser.
  init(source: String) { self.source = source }

  public func structure(_ name: String) -> Struct? { structs.first { $0.name == name } }
  public func header(_ name: String) -> Header? { headers.first { $0.name == name } }
  public func action(_ name: String) -> Action? { actions.first { $0.name == name } }

  /// The fields of the metadata in memory order.
  public var metadataFields: [Field] { structure(metadata)?.fields ?? [] }

  /// The size of the metadata. SWX wraps offsets above 255 silently.
  public var metadataBytes: Int { structure(metadata)?.bytes ?? 0 }

  /// The arguments of an action in the order of its struct.
  public func arguments(of action: Action) -> [Field] {
    action.arguments.flatMap { structure($0) }?.fields ?? []
  }

  /// Tables and learners in the order in which the code first names them, each
  /// with the action that a miss runs.
  public var lookUpOrder: [(table: String, missAction: String)] {
    var order: [(table: String, missAction: String)] = []
    for instruction in apply where instruction.operation == "table" && instruction.words.count > 1 {
      let name = instruction.words[1]
      guard !order.contains(where: { $0.table == name }) else { continue }
      let missAction =
        tables.first { $0.name == name }?.defaultAction.name
        ?? learners.first { $0.name == name }?.defaultAction.name
      if let missAction { order.append((name, missAction)) }
    }
    return order
  }
}
