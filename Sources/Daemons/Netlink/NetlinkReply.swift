import CNetlink

/// A message from rtnetlink. Nothing is read beyond its end, whatever its lengths say.
struct NetlinkReply {
  var header: nlmsghdr
  /// After the header.
  var body: ArraySlice<UInt8>

  /// The messages of one datagram.
  static func parse(_ datagram: ArraySlice<UInt8>) -> [NetlinkReply] {
    var replies: [NetlinkReply] = []
    var rest = datagram
    while let header: nlmsghdr = rest.load(at: 0) {
      let length = Int(header.nlmsg_len)
      guard length >= MemoryLayout<nlmsghdr>.size, length <= rest.count else { break }
      replies.append(
        NetlinkReply(
          header: header, body: rest.prefix(length).dropFirst(MemoryLayout<nlmsghdr>.size)))
      rest = rest.dropFirst(length.aligned)
    }
    return replies
  }

  /// The attributes behind a structure of this size, the last of each type.
  func attributes(after size: Int) -> [Int: ArraySlice<UInt8>] {
    var attributes: [Int: ArraySlice<UInt8>] = [:]
    var rest = body.dropFirst(size.aligned)
    let head = MemoryLayout<rtattr>.size
    while let attribute: rtattr = rest.load(at: 0) {
      let length = Int(attribute.rta_len)
      guard length >= head, length <= rest.count else { break }
      let type = Int(attribute.rta_type) & Int(CNL_ATTRIBUTE_TYPE)
      attributes[type] = rest.prefix(length).dropFirst(head)
      rest = rest.dropFirst(length.aligned)
    }
    return attributes
  }
}

extension ArraySlice<UInt8> {
  /// A value in the machine's byte order, or nil when the bytes end before.
  func load<Value: BitwiseCopyable>(at offset: Int) -> Value? {
    guard offset >= 0, count >= offset + MemoryLayout<Value>.size else { return nil }
    return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
  }

  /// Up to the final zero.
  var text: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}

extension Int {
  fileprivate var aligned: Int { (self + 3) & ~3 }
}
