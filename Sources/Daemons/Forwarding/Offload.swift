import Core

/// What the kernel has left undone on a frame: cutting it into segments, making its
/// transport checksum. The frame crosses the pipeline as it is, and the interface it
/// leaves by, or the receiver, does the rest.
struct Offload: Equatable {
  /// The checksum field holds the sum of the pseudo header only.
  var isPartial = false
  /// One of ``OffloadHeader/Segmentation``.
  var segmentation = OffloadHeader.Segmentation.none
  var segmentSize: UInt16 = 0

  static let none = Offload()

  /// Linux sends no smaller segments (include/net/tcp.h, TCP_MIN_GSO_SIZE).
  private static let smallestTCPSegment = 8

  private init() {}

  /// Checks a header against its frame: a packet socket in a pod can send any.
  ///
  /// A checksum that a pipeline has nothing to do with, such as in a fragment or
  /// behind two VLAN tags, is made at once.
  ///
  /// - Returns: nil for a header that contradicts the frame.
  init?(_ header: OffloadHeader, frame: UnsafeMutableRawPointer, length: Int) {
    guard header.flags & OffloadHeader.needsChecksum != 0 else {
      guard header.segmentation == OffloadHeader.Segmentation.none else { return nil }
      return
    }
    let start = Int(header.checksumStart)
    let field = start + Int(header.checksumOffset)
    guard start >= EthernetHeader.length, field + 2 <= length else { return nil }

    guard let transport = TransportHeader(frame, available: length),
      transport.start == start, transport.start + transport.checksumOffset == field,
      transport.start + transport.length == length
    else {
      guard header.segmentation == OffloadHeader.Segmentation.none else { return nil }
      Self.makeChecksum(frame, from: start, to: length, field: field)
      return
    }
    isPartial = true
    guard header.segmentation != OffloadHeader.Segmentation.none else { return }

    segmentation = header.segmentation
    segmentSize = header.segmentSize
    let kind = header.segmentation & ~OffloadHeader.Segmentation.ecn
    let smallest = transport.isTCP ? Self.smallestTCPSegment : 1
    guard kind == Self.segmentation(of: transport), Int(segmentSize) >= smallest,
      transport.isTCP || segmentation == kind, transport.headersEnd(frame) != nil
    else { return nil }
  }

  /// The header for a frame on its way out, whose checksum field is put right: a
  /// pipeline adjusts it as if it were a whole checksum, ports included.
  ///
  /// - Returns: nil when the frame is no longer one that can be finished.
  func header(for frame: UnsafeMutableRawPointer, length: Int) -> OffloadHeader? {
    var header = OffloadHeader()
    guard isPartial else { return header }
    guard let transport = TransportHeader(frame, available: length),
      transport.start + transport.length == length
    else { return nil }
    let field = transport.start + transport.checksumOffset
    frame.storeBytes(
      of: transport.pseudoHeaderSum(frame).bigEndian, toByteOffset: field, as: UInt16.self)
    header.flags = OffloadHeader.needsChecksum
    header.checksumStart = UInt16(truncatingIfNeeded: transport.start)
    header.checksumOffset = UInt16(truncatingIfNeeded: transport.checksumOffset)
    guard segmentation != OffloadHeader.Segmentation.none else { return header }
    guard segmentation & ~OffloadHeader.Segmentation.ecn == Self.segmentation(of: transport),
      let end = transport.headersEnd(frame)
    else { return nil }
    header.segmentation = segmentation
    header.segmentSize = segmentSize
    header.headerLength = UInt16(truncatingIfNeeded: end)
    return header
  }

  /// Makes the transport checksum that the kernel left undone.
  func finishChecksum(of frame: UnsafeMutableRawPointer, length: Int) {
    guard isPartial, let transport = TransportHeader(frame, available: length) else { return }
    let field = transport.start + transport.checksumOffset
    frame.storeBytes(
      of: transport.pseudoHeaderSum(frame).bigEndian, toByteOffset: field, as: UInt16.self)
    // A pipeline, which adjusts whole checksums, leaves TCP's zero as it is (RFC 1624).
    Self.makeChecksum(
      frame, from: transport.start, to: length, field: field, zero: transport.isTCP ? 0 : 0xFFFF)
  }

  /// - Parameter zero: in the place of 0, which in UDP means that there is none (RFC 768). Linux
  ///   does so with every transport (net/core/dev.c, `skb_checksum_help`).
  private static func makeChecksum(
    _ frame: UnsafeMutableRawPointer, from start: Int, to end: Int, field: Int,
    zero: UInt16 = 0xFFFF
  ) {
    let sum = Checksum.internet(UnsafeRawBufferPointer(start: frame + start, count: end - start))
    frame.storeBytes(of: (sum == 0 ? zero : sum).bigEndian, toByteOffset: field, as: UInt16.self)
  }

  private static func segmentation(of transport: TransportHeader) -> UInt8 {
    guard transport.isTCP else { return OffloadHeader.Segmentation.udp }
    return transport.isIPv6 ? OffloadHeader.Segmentation.tcp6 : OffloadHeader.Segmentation.tcp4
  }
}
