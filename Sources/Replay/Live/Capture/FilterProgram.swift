import CPcap
import InspectionProtos
import Replay

/// A filter expression of tcpdump, compiled by libpcap for Ethernet frames.
struct FilterProgram {
  /// What tcpdump takes of a frame unless it is told otherwise: all of any.
  private static let snapLength: Int32 = 262_144
  /// PCAP_NETMASK_UNKNOWN.
  private static let unknownMask: UInt32 = 0xFFFF_FFFF

  let instructions: [K8sdp_V1_CaptureRequest.Instruction]

  init(_ expression: String) throws(ReplayError) {
    guard let handle = pcap_open_dead(DLT_EN10MB, Self.snapLength) else {
      throw ReplayError("filter", "libpcap has no memory")
    }
    defer { pcap_close(handle) }
    var program = bpf_program()
    guard pcap_compile(handle, &program, expression, 1, Self.unknownMask) == 0 else {
      throw ReplayError(
        "filter \"\(expression)\"",
        "\(String(cString: pcap_geterr(handle))); see man pcap-filter")
    }
    defer { pcap_freecode(&program) }
    instructions = UnsafeBufferPointer(start: program.bf_insns, count: Int(program.bf_len)).map {
      instruction in
      .with {
        $0.code = UInt32(instruction.code)
        $0.jt = UInt32(instruction.jt)
        $0.jf = UInt32(instruction.jf)
        $0.k = instruction.k
      }
    }
  }
}
