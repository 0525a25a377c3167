import CPcap
import GRPCCore
import InspectionProtos

/// A classic BPF program on Ethernet frames, run by libpcap. It has no loop, so it takes no
/// longer than it has instructions.
final class FrameFilter: Sendable {
  /// BPF_MAXINSNS of the kernel (Linux, include/uapi/linux/bpf_common.h).
  static let longest = 4096

  /// The instructions there are (libpcap, pcap/bpf.h). libpcap's own check lets others through,
  /// and its interpreter ends the program at them.
  private static let codes: Set<UInt16> = [
    // Load, store.
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xB1, 0x02, 0x03,
    // Arithmetic with a constant, with X.
    0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0x94, 0xA4,
    0x0C, 0x1C, 0x2C, 0x3C, 0x4C, 0x5C, 0x6C, 0x7C, 0x9C, 0xAC,
    // Jump, return, between A and X.
    0x05, 0x15, 0x25, 0x35, 0x45, 0x1D, 0x2D, 0x3D, 0x4D, 0x06, 0x16, 0x07, 0x87,
  ]

  private let program: [bpf_insn]

  /// - Throws: `INVALID_ARGUMENT` for what is no such program: libpcap checks every jump and
  ///   every access to memory.
  init(_ instructions: [K8sdp_V1_CaptureRequest.Instruction]) throws(RPCError) {
    guard instructions.count <= Self.longest else {
      throw RPCError(
        code: .invalidArgument,
        message: "the filter has \(instructions.count) instructions; \(Self.longest) can be")
    }
    var program: [bpf_insn] = []
    for instruction in instructions {
      guard let code = UInt16(exactly: instruction.code), Self.codes.contains(code),
        let jt = UInt8(exactly: instruction.jt),
        let jf = UInt8(exactly: instruction.jf)
      else { throw Self.invalid }
      program.append(bpf_insn(code: code, jt: jt, jf: jf, k: instruction.k))
    }
    guard bpf_validate(program, Int32(program.count)) != 0 else { throw Self.invalid }
    self.program = program
  }

  private static let invalid = RPCError(
    code: .invalidArgument, message: "the filter is no valid BPF program")

  func accepts(_ frame: UnsafeRawBufferPointer) -> Bool {
    let length = UInt32(clamping: frame.count)
    return bpf_filter(
      program, frame.baseAddress?.assumingMemoryBound(to: UInt8.self), length, length) != 0
  }
}
