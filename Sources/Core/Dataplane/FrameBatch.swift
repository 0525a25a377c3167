/// Frames in one block of memory: the unit of the hot path.
///
/// ```
/// slot: | headroom 128 | frame … length | zeros … |     stride bytes
/// ```
///
/// Frame `i` lies in any of the slots, so that frames can be written into free slots
/// beforehand, and only those that came be taken: see ``take(_:length:port:)``.
///
/// At least ``tailroom`` bytes after every frame are zero when it is handed to
/// a dataplane, because SWX reads and writes headers without looking at the
/// frame's length. A verdict is a port, or a drop reason with ``dropBit`` set.
public struct FrameBatch: ~Copyable {
  public static let headroom = 128
  /// No header stack of the pipeline is longer (14 + 4 + 60 + 20, rounded up).
  public static let tailroom = 128
  public static let dropBit: UInt32 = 1 << 31
  /// Ethernet and one VLAN tag around the longest IPv4 packet (RFC 791): what a
  /// segment is before it is cut for the wire.
  public static let longestFrame = 14 + 4 + 65_535

  public let capacity: Int
  public let stride: Int
  /// The longest frame a slot takes, in bytes.
  public let maximumLength: Int
  public private(set) var count = 0

  public let base: UnsafeMutableRawPointer
  /// Frame → its slot, and behind the frames the free slots: a permutation.
  public let slots: UnsafeMutablePointer<UInt32>
  public let lengths: UnsafeMutablePointer<UInt32>
  public let ports: UnsafeMutablePointer<UInt32>
  public let verdicts: UnsafeMutablePointer<UInt32>

  public init(capacity: Int, maximumLength: Int = 1792) {
    self.capacity = capacity
    self.maximumLength = maximumLength
    stride = (maximumLength + Self.headroom + Self.tailroom + 63) & ~63
    base = .allocate(byteCount: stride * capacity, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: stride * capacity)
    slots = .allocate(capacity: capacity)
    for i in 0..<capacity { (slots + i).initialize(to: UInt32(i)) }
    lengths = .allocate(capacity: capacity)
    lengths.initialize(repeating: 0, count: capacity)
    ports = .allocate(capacity: capacity)
    ports.initialize(repeating: 0, count: capacity)
    verdicts = .allocate(capacity: capacity)
    verdicts.initialize(repeating: 0, count: capacity)
  }

  deinit {
    base.deallocate()
    slots.deallocate()
    lengths.deallocate()
    ports.deallocate()
    verdicts.deallocate()
  }

  public mutating func removeAll() { count = 0 }

  /// Copies a frame into the next slot.
  ///
  /// - Returns: false when the batch is full or the frame too long.
  public mutating func append(_ bytes: UnsafeRawBufferPointer, port: PortID) -> Bool {
    guard count < capacity, bytes.count <= maximumLength else { return false }
    if let source = bytes.baseAddress {
      frame(count).copyMemory(from: source, byteCount: bytes.count)
    }
    take(count, length: bytes.count, port: port)
    return true
  }

  /// Takes what was written to ``frame(_:)`` of a free place as the next frame.
  ///
  /// Later free places keep their memory, so several can be filled at once and
  /// taken in ascending order, some of them left out.
  ///
  /// - Parameters:
  ///   - place: `count`..<`capacity`.
  ///   - length: at most ``maximumLength``.
  @inline(__always)
  public mutating func take(_ place: Int, length: Int, port: PortID) {
    precondition(count <= place && place < capacity && length <= maximumLength)
    let slot = slots[place]
    slots[place] = slots[count]
    slots[count] = slot
    (frame(count) + length).initializeMemory(as: UInt8.self, repeating: 0, count: Self.tailroom)
    lengths[count] = UInt32(truncatingIfNeeded: length)
    ports[count] = port
    count &+= 1
  }

  /// The first byte of frame `i`, or of the free place `i` behind the frames.
  @inline(__always)
  public func frame(_ i: Int) -> UnsafeMutableRawPointer {
    base + (Int(slots[i]) &* stride &+ Self.headroom)
  }

  /// The bytes of frame `i`.
  public func bytes(_ i: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: frame(i), count: Int(lengths[i]))
  }

  public func verdict(_ i: Int) -> Verdict {
    Verdict(encoded: verdicts[i])
  }
}

extension Verdict {
  /// Decodes the form used in ``FrameBatch/verdicts``.
  public init(encoded: UInt32) {
    if encoded & FrameBatch.dropBit != 0 {
      self = .drop(DropReason(rawValue: UInt8(truncatingIfNeeded: encoded)) ?? .pipeline)
    } else {
      self = .forward(encoded)
    }
  }

  /// Encodes for ``FrameBatch/verdicts``.
  public var encoded: UInt32 {
    switch self {
    case .forward(let port): port
    case .drop(let reason): FrameBatch.dropBit | UInt32(reason.rawValue)
    }
  }
}
