/// Frames in one block of memory: the unit of the hot path.
///
/// ```
/// slot i: | headroom 128 | frame … length(i) | zeros … |     stride bytes
/// ```
///
/// At least ``tailroom`` bytes after every frame are zero when it is handed to
/// a dataplane, because SWX reads and writes headers without looking at the
/// frame's length. A verdict is a port, or a drop reason with ``dropBit`` set.
public struct FrameBatch: ~Copyable {
  public static let headroom = 128
  /// No header stack of the pipeline is longer (14 + 4 + 60 + 20, rounded up).
  public static let tailroom = 128
  public static let dropBit: UInt32 = 1 << 31

  public let capacity: Int
  public let stride: Int
  /// The longest frame a slot takes, in bytes.
  public var maximumLength: Int { stride - Self.headroom - Self.tailroom }
  public private(set) var count = 0

  public let base: UnsafeMutableRawPointer
  public let lengths: UnsafeMutablePointer<UInt32>
  public let ports: UnsafeMutablePointer<UInt32>
  public let verdicts: UnsafeMutablePointer<UInt32>

  public init(capacity: Int, maximumLength: Int = 1792) {
    self.capacity = capacity
    stride = (maximumLength + Self.headroom + Self.tailroom + 63) & ~63
    base = .allocate(byteCount: stride * capacity, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: stride * capacity)
    lengths = .allocate(capacity: capacity)
    lengths.initialize(repeating: 0, count: capacity)
    ports = .allocate(capacity: capacity)
    ports.initialize(repeating: 0, count: capacity)
    verdicts = .allocate(capacity: capacity)
    verdicts.initialize(repeating: 0, count: capacity)
  }

  deinit {
    base.deallocate()
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
    let slot = frame(count)
    if let source = bytes.baseAddress { slot.copyMemory(from: source, byteCount: bytes.count) }
    let tail = slot + bytes.count
    tail.initializeMemory(as: UInt8.self, repeating: 0, count: Self.tailroom)
    lengths[count] = UInt32(bytes.count)
    ports[count] = port
    count += 1
    return true
  }

  /// The first byte of frame `i`.
  @inline(__always)
  public func frame(_ i: Int) -> UnsafeMutableRawPointer {
    base + (i &* stride &+ Self.headroom)
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
