import Core
import Foundation

/// Writes a pcapng file of Ethernet frames, with nanosecond times and comments on packets.
///
/// The bytes depend on the frames only: no clock, host name or program version
/// goes in. Little-endian, after draft-ietf-opsawg-pcapng.
public final class PcapngWriter {
  private enum Block {
    static let sectionHeader: UInt32 = 0x0A0D_0D0A
    static let interface: UInt32 = 1
    static let interfaceStatistics: UInt32 = 5
    static let enhancedPacket: UInt32 = 6
  }

  private enum Option {
    static let end: UInt16 = 0
    static let comment: UInt16 = 1
    static let interfaceName: UInt16 = 2
    static let application: UInt16 = 4
    static let timeResolution: UInt16 = 9
    /// Of a packet.
    static let flags: UInt16 = 2
    static let packetID: UInt16 = 5
    /// Of the statistics of an interface.
    static let dropped: UInt16 = 5
  }

  /// Which way a packet went, as seen from the machine that the interface belongs to.
  public enum Direction: UInt32, Sendable {
    case inbound = 1
    case outbound = 2
  }

  /// An option's length field has 16 bits.
  static let longestComment = 65_535
  private static let flushAt = 1 << 18

  private let path: String
  private let file: FileHandle
  private var buffer: [UInt8] = []
  private var interfaces: UInt32 = 0
  /// Frames written so far.
  public private(set) var count = 0

  /// Makes the file, or empties one of the same name, and writes its headers.
  ///
  /// - Parameter interface: The name Wireshark shows, such as `port-3`.
  public convenience init(path: String, interface: String) throws(ReplayError) {
    try self.init(path: path)
    _ = addInterface(named: interface)
  }

  /// Makes a file that has no interface yet.
  ///
  /// - Parameter path: `-` is standard output.
  public init(path: String) throws(ReplayError) {
    self.path = path == "-" ? "standard output" : path
    file = path == "-" ? .standardOutput : try .output(path)
    append(Self.sectionHeader)
  }

  /// - Returns: its number.
  public func addInterface(named name: String) -> UInt32 {
    append(Self.interface(named: name))
    interfaces += 1
    return interfaces - 1
  }

  /// Adds a frame.
  ///
  /// - Parameters:
  ///   - interface: its number.
  ///   - length: of the frame, when it was cut.
  ///   - nanoseconds: Since 1970-01-01 00:00 UTC.
  ///   - packetID: the same for one packet at several interfaces.
  ///   - comments: Shown by Wireshark as packet comments, one line each; cut at
  ///     65,535 bytes.
  public func write(
    _ bytes: [UInt8], interface: UInt32 = 0, length: Int? = nil, nanoseconds: UInt64,
    direction: Direction? = nil, packetID: UInt64? = nil, comments: [String] = []
  ) throws(ReplayError) {
    var body: [UInt8] = []
    body.reserveCapacity(bytes.count + 64)
    body.append(little: interface)
    body.append(little: UInt32(truncatingIfNeeded: nanoseconds >> 32))
    body.append(little: UInt32(truncatingIfNeeded: nanoseconds))
    body.append(little: UInt32(bytes.count))
    body.append(little: UInt32(length ?? bytes.count))
    body.append(contentsOf: bytes)
    body.pad()
    for comment in comments where !comment.isEmpty {
      body.append(option: Option.comment, Self.fitting(comment))
    }
    if let direction {
      body.append(option: Option.flags, direction.rawValue.littleEndianBytes)
    }
    if let packetID { body.append(option: Option.packetID, packetID.littleEndianBytes) }
    if !comments.isEmpty || direction != nil || packetID != nil {
      body.append(option: Option.end, [])
    }
    append(Self.block(Block.enhancedPacket, body))
    count += 1
    if buffer.count >= Self.flushAt { try flush() }
  }

  /// Notes how many packets of an interface are not in the file.
  public func note(missed: UInt64, interface: UInt32, nanoseconds: UInt64) {
    var body: [UInt8] = []
    body.append(little: interface)
    body.append(little: UInt32(truncatingIfNeeded: nanoseconds >> 32))
    body.append(little: UInt32(truncatingIfNeeded: nanoseconds))
    body.append(option: Option.dropped, missed.littleEndianBytes)
    body.append(option: Option.end, [])
    append(Self.block(Block.interfaceStatistics, body))
  }

  /// Writes what is left and closes the file.
  public func close() throws(ReplayError) {
    try flush()
    do { try file.close() } catch { throw failure(error) }
  }

  /// Writes what there is, for those who read the file while it grows.
  public func flush() throws(ReplayError) {
    do { try file.write(contentsOf: buffer) } catch { throw failure(error) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func failure(_ error: any Error) -> ReplayError {
    ReplayError(path, "cannot be written (\(error.localizedDescription)); is the disk full?")
  }

  private func append(_ bytes: [UInt8]) { buffer.append(contentsOf: bytes) }

  private static var sectionHeader: [UInt8] {
    var body: [UInt8] = []
    body.append(little: UInt32(0x1A2B_3C4D))  // byte order
    body.append(little: UInt16(1))  // version 1.0
    body.append(little: UInt16(0))
    body.append(little: UInt64.max)  // section length not given
    body.append(option: Option.application, Array("k8sdp".utf8))
    body.append(option: Option.end, [])
    return block(Block.sectionHeader, body)
  }

  private static func interface(named name: String) -> [UInt8] {
    var body: [UInt8] = []
    body.append(little: UInt16(1))  // LINKTYPE_ETHERNET
    body.append(little: UInt16(0))
    body.append(little: UInt32(0))  // no snap length
    body.append(option: Option.interfaceName, Array(name.utf8))
    body.append(option: Option.timeResolution, [9])
    body.append(option: Option.end, [])
    return block(Block.interface, body)
  }

  private static func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count + 12)
    bytes.append(little: type)
    bytes.append(little: UInt32(body.count + 12))
    bytes.append(contentsOf: body)
    bytes.append(little: UInt32(body.count + 12))
    return bytes
  }

  /// The longest prefix of whole characters that an option can hold.
  private static func fitting(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard bytes.count > longestComment else { return bytes }
    var end = longestComment
    while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return Array(bytes[..<end])
  }
}

extension FixedWidthInteger {
  fileprivate var littleEndianBytes: [UInt8] {
    Swift.withUnsafeBytes(of: littleEndian) { Array($0) }
  }
}

extension [UInt8] {
  fileprivate mutating func append(little value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Fills up to a multiple of 32 bits.
  fileprivate mutating func pad() {
    while !count.isMultiple(of: 4) { append(0) }
  }

  fileprivate mutating func append(option code: UInt16, _ value: [UInt8]) {
    append(little: code)
    append(little: UInt16(value.count))
    append(contentsOf: value)
    pad()
  }
}
