/// The header before every frame of a port: `virtio_net_hdr`, 10 bytes in the
/// machine's byte order (Linux, include/uapi/linux/virtio_net.h).
struct OffloadHeader: Equatable {
  static let length = 10
  /// The checksum field holds the sum of the pseudo header only.
  static let needsChecksum: UInt8 = 1

  /// How a frame is to be cut into segments.
  enum Segmentation {
    static let none: UInt8 = 0
    static let tcp4: UInt8 = 1
    static let tcp6: UInt8 = 4
    static let udp: UInt8 = 5
    /// A bit beside the TCP kinds: only the first segment has CWR.
    static let ecn: UInt8 = 0x80
  }

  var flags: UInt8 = 0
  var segmentation: UInt8 = Segmentation.none
  /// Bytes of the headers that every segment repeats: a hint.
  var headerLength: UInt16 = 0
  /// Bytes of payload in a segment.
  var segmentSize: UInt16 = 0
  /// Where the sum starts and, from there, where it goes; in bytes of the frame.
  var checksumStart: UInt16 = 0
  var checksumOffset: UInt16 = 0

  init() {}

  init(_ bytes: UnsafeRawPointer) {
    flags = bytes.load(as: UInt8.self)
    segmentation = bytes.load(fromByteOffset: 1, as: UInt8.self)
    headerLength = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
    segmentSize = bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
    checksumStart = bytes.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
    checksumOffset = bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
  }

  func store(to bytes: UnsafeMutableRawPointer) {
    bytes.storeBytes(of: flags, as: UInt8.self)
    bytes.storeBytes(of: segmentation, toByteOffset: 1, as: UInt8.self)
    bytes.storeBytes(of: headerLength, toByteOffset: 2, as: UInt16.self)
    bytes.storeBytes(of: segmentSize, toByteOffset: 4, as: UInt16.self)
    bytes.storeBytes(of: checksumStart, toByteOffset: 6, as: UInt16.self)
    bytes.storeBytes(of: checksumOffset, toByteOffset: 8, as: UInt16.self)
  }
}
