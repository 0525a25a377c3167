import CNetlink
import Glibc
import Synchronization

/// rtnetlink in one network namespace. A call waits for the kernel, which may take
/// milliseconds while others change links: it belongs on no thread that must not wait.
public final class RouteSocket: Sendable {
  /// What the namespace is called in errors.
  let place: String
  private let file: FileDescriptor
  private let sequence = Mutex<UInt32>(0)

  /// The kernel answers at once; a longer wait is a fault.
  private static let patience: Int32 = 10_000
  /// The kernel's answers to a dump are 32 KiB at most.
  private static let bufferSize = 1 << 16
  private static let attempts = 10

  /// - Parameter namespace: nil is that of this process.
  public init(in namespace: NetworkNamespace? = nil) throws(NetlinkError) {
    place = namespace?.path ?? "this namespace"
    let number = cnl_socket_open(namespace?.descriptor ?? -1, Self.patience)
    guard number >= 0 else { throw NetlinkError(-number, "open rtnetlink in", place) }
    file = FileDescriptor(number)
  }

  /// Sends a request and waits until the kernel has carried it out.
  ///
  /// - Parameters:
  ///   - what: what is asked for, for the error.
  ///   - object: what it is about, for the error.
  /// - Returns: the messages that it answers with.
  @discardableResult
  func send(
    _ request: NetlinkRequest, _ what: String, _ object: String
  ) throws(NetlinkError) -> [NetlinkReply] {
    for _ in 0..<Self.attempts {
      if let replies = try exchange(request, what, "\(object) in \(place)") { return replies }
    }
    throw NetlinkError(EAGAIN, what, "\(object) in \(place)", detail: "it keeps changing")
  }

  /// - Returns: nil when what was listed changed meanwhile.
  private func exchange(
    _ request: NetlinkRequest, _ what: String, _ object: String
  ) throws(NetlinkError) -> [NetlinkReply]? {
    // One exchange at a time: answers on a socket come in the order of the requests.
    try sequence.withLock { sequence throws(NetlinkError) in
      sequence &+= 1
      let bytes = request.finished(sequence: sequence)
      guard Glibc.send(file.number, bytes, bytes.count, 0) == bytes.count else {
        throw NetlinkError(errno, what, object)
      }
      var replies: [NetlinkReply] = []
      var isWhole = true
      while true {
        let datagram = try receive(what, object)
        for reply in NetlinkReply.parse(datagram[...])
        where reply.header.nlmsg_seq == sequence {
          if Int32(reply.header.nlmsg_flags) & NLM_F_DUMP_INTR != 0 { isWhole = false }
          switch Int32(reply.header.nlmsg_type) {
          case NLMSG_ERROR, NLMSG_DONE:
            try Self.check(reply, what, object)
            return isWhole ? replies : nil
          default: replies.append(reply)
          }
        }
      }
    }
  }

  private func receive(_ what: String, _ object: String) throws(NetlinkError) -> [UInt8] {
    var failure: Int32 = 0
    let datagram = [UInt8](unsafeUninitializedCapacity: Self.bufferSize) { buffer, count in
      var result: Int
      repeat {
        result = recv(file.number, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC))
      } while result < 0 && errno == EINTR
      if result < 0 { failure = errno }
      if result > buffer.count { failure = EMSGSIZE }
      count = failure == 0 ? result : 0
    }
    guard failure == 0 else { throw NetlinkError(failure, what, object) }
    return datagram
  }

  /// The error of an acknowledgement, with the kernel's words if it has any.
  private static func check(
    _ reply: NetlinkReply, _ what: String, _ object: String
  ) throws(NetlinkError) {
    let code: Int32 = reply.body.load(at: 0) ?? 0
    guard code < 0 else { return }
    // NETLINK_CAP_ACK: of the request only its header is there.
    let size =
      Int32(reply.header.nlmsg_type) == NLMSG_ERROR
      ? MemoryLayout<nlmsgerr>.size : MemoryLayout<Int32>.size
    let detail = reply.attributes(after: size)[Int(NLMSGERR_ATTR_MSG.rawValue)]?.text ?? ""
    throw NetlinkError(-code, what, object, detail: detail)
  }
}
