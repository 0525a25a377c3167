import Testing

@testable import Core

@Suite struct PipelineSpecTests {
  static let good = """
    # a comment
    struct ethernet_t {
      bit<48> dst
      bit<16> type
    }
    struct options_t {
      varbit<320> bytes
    }
    struct set_arg_t {
      bit<32> port
      bit<24> label
    }
    struct metadata_t {
      bit<32> in_port
      bit<16> key
      bit<32> port
      bit<8> timer
    }
    header ethernet instanceof ethernet_t
    header options instanceof options_t
    metadata instanceof metadata_t
    regarray drops_0 size 0x20 initval 0x0
    metarray meters size 16

    action set args instanceof set_arg_t {
      mov m.port t.port
      return
    }
    action miss args none {
      learn set m.port m.timer
      return
    }
    action NoAction args none {
      return
    }
    table one {
      key {
        h.ethernet.type exact
      }
      actions {
        set
        NoAction @defaultonly
      }
      default_action NoAction args none const
      size 0x100
    }
    table two {
      key {
      }
      actions {
        set
      }
      default_action set args port 0x1 label 010
    }
    selector choose {
      group_id m.port
      selector {
        m.key
      }
      member_id m.key
      n_groups_max 128
      n_members_per_group_max 1024
    }
    learner known {
      key {
        m.key
      }
      actions {
        set @tableonly
        miss @defaultonly
      }
      default_action miss args none
      size 100
      timeout {
        10
        0x1E

      }
    }
    apply {
      rx m.in_port
      extract h.ethernet
      jmpneq END h.ethernet.type 0x800 // a comment
      table one
      table two
      table choose
      table known
      END : emit h.ethernet
      tx m.port
    }
    """

  @Test func reads() throws {
    let spec = try PipelineSpec(parsing: Self.good)
    #expect(spec.metadataBytes == 11)
    #expect(spec.structs[1].fields == [.init(name: "bytes", bits: 320, isVariable: true)])
    #expect(spec.apply[7].label == "END")
    #expect(spec.apply[7].text == "END : emit h.ethernet")
    #expect(spec.tables[1].defaultAction.arguments == [1, 8])
    #expect(spec.tables[0].defaultAction.arguments == [])
    #expect(spec.tables[0].defaultAction.isConstant)
    #expect(spec.registers[0].size == 32)
    #expect(spec.meters[0].size == 16)

    let contract = spec.contract
    #expect(
      contract.tables == [
        .init(
          name: "one", key: [.init(name: "h.ethernet.type", bits: 16)], match: .exact,
          actions: ["set"], defaultAction: "NoAction", size: 256),
        .init(
          name: "two", key: [], match: .exact, actions: ["set"], defaultAction: "set",
          hasConstantDefault: false, size: 0),
      ])
    #expect(
      contract.learners == [
        .init(
          name: "known", key: [.init(name: "m.key", bits: 16)], actions: ["set"], buckets: 128,
          timers: [10, 30])
      ])
    #expect(
      contract.actions["set"]?.arguments
        == [.init(name: "port", bits: 32), .init(name: "label", bits: 24)])
    #expect(
      contract.selectors == [.init(name: "choose", maximumGroups: 128, maximumMembers: 1024)])
    #expect(try spec.resized(["one": 7, "known": 5]).contract.learners[0].buckets == 8)
    #expect(throws: DataplaneError.self) { try spec.resized(["two": 0]) }
    #expect(throws: DataplaneError.self) { try spec.resized(["three": 1]) }
  }

  @Test(arguments: [
    ("bit<48> dst", "bit<47> dst"), ("bit<48> dst", "bits dst"),
    ("bit<48> dst", "bit<99999999999999999999> dst"), ("bit<16> type", "bit<16> dst"),
    ("bit<32> in_port", "varbit<32> in_port"),
    ("header options instanceof options_t", "header options instanceof nothing"),
    ("header options", "header ethernet"), ("metadata instanceof metadata_t", ""),
    ("regarray drops_0 size 0x20", "regarray drops_0 size zero"),
    ("mov m.port t.port", "mov m.port t.nothing"), ("mov m.port t.port", "fly m.port"),
    ("mov m.port t.port", "mov m.port"), ("table choose", "table nothing"),
    ("jmpneq END", "jmpneq FIN"), ("END : emit", "END :"),
    ("rx m.in_port", "tx m.in_port"), ("tx m.port", "mov m.port 0x1"),
    ("bit<24> label", "bit<72> label"), ("h.ethernet.type exact", "h.ethernet.type near"),
    ("label 010", "label 0x1000000"), ("label 010", ""), ("@tableonly", "@never"),
    ("default_action miss args none", "default_action set args none"),
    ("0x1E", "0"), ("size 100", "size 0"), ("size 100", "shape 100"),
    ("n_groups_max 128", ""), ("apply {", "apply"),
  ])
  func refuses(old: String, new: String) throws {
    let text = Self.good.replacing(old, with: new, maxReplacements: 1)
    do {
      _ = try PipelineSpec(parsing: text, file: "x.spec")
      Issue.record("accepted: \(new)")
    } catch {
      #expect(error.code == .invalidArgument || error.code == .unimplemented)
      #expect(error.entity.hasPrefix("x.spec:"))
      #expect(!error.message.isEmpty)
    }
  }

  @Test func metadataIsBounded() throws {
    let fields = (0..<61).map { "bit<32> f\($0)" }.joined(separator: "\n")
    #expect(
      try PipelineSpec(
        parsing: Self.good.replacing("bit<16> key\n", with: "bit<16> key\n\(fields)\n")
      )
      .metadataBytes == 255)
    #expect {
      try PipelineSpec(
        parsing: Self.good.replacing("bit<16> key\n", with: "bit<16> key\n\(fields)\nbit<8> z\n"))
    } throws: {
      ($0 as? DataplaneError)?.message.contains("256 bytes of metadata") == true
    }
  }

  @Test func hashResultsLieLow() throws {
    let fields = (0..<8).map { "bit<32> f\($0)" }.joined(separator: "\n")
    let text = Self.good.replacing("bit<16> key\n", with: "bit<16> key\n\(fields)\n")
      .replacing("table two", with: "hash crc32 m.f7 m.in_port m.key", maxReplacements: 9)
    #expect(throws: DataplaneError.self) { try PipelineSpec(parsing: text) }
  }

  /// Every prefix and every missing line ends in a value or an error.
  @Test func neverCrashes() {
    let bytes = Array(Self.good.utf8)
    for count in 0..<bytes.count {
      _ = try? PipelineSpec(parsing: String(decoding: bytes[..<count], as: UTF8.self))
    }
    let lines = Self.good.split(separator: "\n", omittingEmptySubsequences: false)
    for i in lines.indices {
      var fewer = lines
      fewer.remove(at: i)
      _ = try? PipelineSpec(parsing: fewer.joined(separator: "\n"))
      var swapped = lines
      swapped.swapAt(i, (i * 7 + 3) % lines.count)
      _ = try? PipelineSpec(parsing: swapped.joined(separator: "\n"))
    }
    var state: UInt64 = 1
    for _ in 0..<3000 {
      var mutant = bytes
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        mutant[Int(state >> 33) % mutant.count] = UInt8(truncatingIfNeeded: state >> 25)
      }
      _ = try? PipelineSpec(parsing: String(decoding: mutant, as: UTF8.self))
    }
  }

  @Test func readsBundles() throws {
    func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
      var length = bytes.count
      var result = [number << 3 | 2]
      repeat {
        result.append(UInt8(length & 0x7F) | (length > 0x7F ? 0x80 : 0))
        length >>= 7
      } while length > 0
      return result + bytes
    }
    let profile =
      field(1, Array("pipe".utf8)) + field(2, Array("{}".utf8)) + field(3, Array(Self.good.utf8))
    let bundle = field(1, Array("k8s_dp".utf8)) + field(2, [1, 2, 3]) + field(3, profile)
    #expect(try PipelineSpec(bundle: bundle).contract == PipelineSpec(parsing: Self.good).contract)
    for count in stride(from: 0, to: bundle.count, by: 3) {
      #expect(throws: DataplaneError.self) { try PipelineSpec(bundle: Array(bundle[..<count])) }
    }
    #expect(throws: DataplaneError.self) {
      try PipelineSpec(bundle: [0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01])
    }
  }
}
