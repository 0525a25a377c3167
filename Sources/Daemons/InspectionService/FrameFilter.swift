import CPcap
import GRPCCore
import InspectionProtos

/// A classic BPF program on Ethernet frames, run by libpcap. It has no loop, so it takes no
/// longer than it has instructions.
final class FrameFilter: Sendable {
  /// BPF_MAXINSNS of the kernel (Linux, include/uapi/linux/bpf_common.h).
  static let longest = 4096

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
      guard let code = UInt16(exactly: instruction.code), let jt = UInt8(exactly: instruction.jt),
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
