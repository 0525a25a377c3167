import CNetlink

/// A message to rtnetlink: headers in the machine's byte order, then attributes, each
/// padded to four bytes (`rtnetlink(7)`).
struct NetlinkRequest {
  private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - type: `RTM_…`.
  ///   - flags: `NLM_F_…` beside `NLM_F_REQUEST`.
  ///   - header: the structure that this type of message begins with.
  init(_ type: Int, flags: Int32, _ header: some BitwiseCopyable) {
    var message = nlmsghdr()
    message.nlmsg_type = UInt16(type)
    message.nlmsg_flags = UInt16(flags | NLM_F_REQUEST)
    add(message)
    add(header)
  }

  /// With the length and the sequence number that it is sent with.
  func finished(sequence: UInt32) -> [UInt8] {
    var bytes = bytes
    let length = UInt32(bytes.count)
    bytes.withUnsafeMutableBytes { buffer in
      buffer.storeBytes(of: length, toByteOffset: 0, as: UInt32.self)
      buffer.storeBytes(of: sequence, toByteOffset: 8, as: UInt32.self)
    }
    return bytes
  }

  mutating func append(_ type: Int, _ value: UInt32) {
    append(type, bytes: withUnsafeBytes(of: value, Array.init))
  }

  /// A string with its final zero.
  mutating func append(_ type: Int, _ value: String) { append(type, bytes: value.utf8 + [0]) }

  mutating func append(_ type: Int, bytes value: some Collection<UInt8>) {
    var attribute = rtattr()
    attribute.rta_len = UInt16(MemoryLayout<rtattr>.size + value.count)
    attribute.rta_type = UInt16(type)
    add(attribute)
    bytes += value
    pad()
  }

  private mutating func add(_ value: some BitwiseCopyable) {
    withUnsafeBytes(of: value) { bytes += $0 }
    pad()
  }

  private mutating func pad() {
    while bytes.count % Int(NLMSG_ALIGNTO) != 0 { bytes.append(0) }
  }
}
