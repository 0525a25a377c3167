/// A strict receiver's view of a frame (RFC 791, 9293, 768).
enum Checksums {
  /// Whether the IPv4 header sum and, in an unfragmented packet, the TCP or UDP
  /// sum verify. True for anything else.
  static func areValid(_ frame: [UInt8]) -> Bool {
    var l3 = 14
    guard frame.count >= 14 else { return true }
    var type = Int(frame[12]) << 8 | Int(frame[13])
    if type == 0x8100, frame.count >= 18 {
      type = Int(frame[16]) << 8 | Int(frame[17])
      l3 = 18
    }
    guard type == 0x0800, frame.count >= l3 + 20, frame[l3] >> 4 == 4 else { return true }
    let header = Int(frame[l3] & 15) * 4
    let total = Int(frame[l3 + 2]) << 8 | Int(frame[l3 + 3])
    guard header >= 20, total >= header, frame.count >= l3 + total else { return true }
    guard sum(frame[l3..<l3 + header], 0) == 0xFFFF else { return false }
    let fragment = Int(frame[l3 + 6]) << 8 | Int(frame[l3 + 7])
    let proto = frame[l3 + 9]
    guard fragment & 0x3FFF == 0, proto == 6 || proto == 17 else { return true }
    let payload = frame[l3 + header..<l3 + total]
    if proto == 17, payload.count >= 8, payload[payload.startIndex + 6] == 0,
      payload[payload.startIndex + 7] == 0
    {
      return true
    }
    var pseudo = sum(frame[l3 + 12..<l3 + 20], 0)
    pseudo += Int(proto) + payload.count
    return sum(payload, pseudo) == 0xFFFF
  }

  private static func sum(_ bytes: ArraySlice<UInt8>, _ start: Int) -> Int {
    var sum = start
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let low = index + 1 < bytes.endIndex ? Int(bytes[index + 1]) : 0
      sum += Int(bytes[index]) << 8 | low
      index += 2
    }
    while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
    return sum
  }
}
