import Core
import Testing

/// Which arrays a pipeline indexes by entry.
@Suite struct EntryArraysTests {
  private static let text = """
    struct metadata_t {
      bit<32> in_port
      bit<32> i
      bit<32> j
    }
    metadata instanceof metadata_t
    regarray dc_0 size 0x5 initval 0x0
    regarray seen_0 size 0x20 initval 0x0
    regarray other_0 size 0x20 initval 0x0
    metarray dm_0 size 0x5
    action count args none {
      entryid m.i
      regadd dc_0 m.i 0x1
      regadd other_0 m.j 0x1
      return
    }
    action read args none {
      entryid m.i
      regrd m.j seen_0 m.i
      meter dm_0 m.i 0x64 0x0 m.j
      return
    }
    action before args none {
      regadd other_0 m.i 0x1
      entryid m.i
      return
    }
    table t {
      key {
        m.in_port exact
      }
      actions {
        count
        read
      }
      default_action count args none
      size 0x40
    }
    table u {
      key {
        m.in_port exact
      }
      actions {
        before
      }
      default_action before args none
      size 0x40
    }
    apply {
      rx m.in_port
      table t
      table u
      tx m.in_port
    }
    """

  @Test func found() throws {
    let spec = try PipelineSpec(parsing: Self.text, file: "test.spec")
    #expect(spec.entryArrays(of: spec.actions[0]) == ["dc_0"])
    #expect(spec.entryArrays(of: spec.actions[1]) == ["seen_0", "dm_0"])
    #expect(spec.entryArrays(of: spec.tables[0]) == ["dc_0", "seen_0", "dm_0"])
    #expect(spec.entryArrays(of: spec.tables[1]) == [])
    let grown = spec.withRoomForEntries()
    #expect(grown.registers.map(\.size) == [65, 65, 32])
    #expect(grown.meters.map(\.size) == [65])
  }
}
