import Foundation

/// Byte images of capture files, built by hand.
struct CaptureImage {
  var big = false
  private(set) var bytes: [UInt8] = []

  mutating func add(_ value: some FixedWidthInteger) {
    let ordered = big ? value.bigEndian : value.littleEndian
    withUnsafeBytes(of: ordered) { bytes.append(contentsOf: $0) }
  }

  mutating func add(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  /// A classic pcap file.
  ///
  /// - Parameter frames: Nanoseconds since 1970, bytes, and the length on the
  ///   wire when it is not that of the bytes.
  static func pcap(
    big: Bool = false, nano: Bool = false, linkType: UInt32 = 1, snapLength: UInt32 = 65_535,
    _ frames: [(UInt64, [UInt8])], wireLength: UInt32? = nil
  ) -> [UInt8] {
    var image = CaptureImage(big: big)
    image.add(nano ? UInt32(0xA1B2_3C4D) : UInt32(0xA1B2_C3D4))
    image.add(UInt16(2))
    image.add(UInt16(4))
    image.add(UInt32(0))
    image.add(UInt32(0))
    image.add(snapLength)
    image.add(linkType)
    for (time, frame) in frames {
      image.add(UInt32(time / 1_000_000_000))
      image.add(UInt32(time % 1_000_000_000 / (nano ? 1 : 1000)))
      image.add(UInt32(frame.count))
      image.add(wireLength ?? UInt32(frame.count))
      image.add(frame)
    }
    return image.bytes
  }

  /// A pcapng file whose frames alternate between its interfaces.
  ///
  /// - Parameter interfaces: Link type and snap length of each.
  static func pcapng(
    big: Bool = false, nano: Bool = false, interfaces: [(UInt16, UInt32)] = [(1, 0)],
    _ frames: [(UInt64, [UInt8])]
  ) -> [UInt8] {
    var image = CaptureImage(big: big)
    image.block(0x0A0D_0D0A) { body in
      body.add(UInt32(0x1A2B_3C4D))
      body.add(UInt16(1))
      body.add(UInt16(0))
      body.add(UInt64.max)
    }
    for (linkType, snapLength) in interfaces {
      image.block(1) { body in
        body.add(linkType)
        body.add(UInt16(0))
        body.add(snapLength)
        if nano {
          body.add(UInt16(9))
          body.add(UInt16(1))
          body.add([9, 0, 0, 0])
          body.add(UInt32(0))
        }
      }
    }
    for (index, (time, frame)) in frames.enumerated() {
      image.block(6) { body in
        let units = time / (nano ? 1 : 1000)
        body.add(UInt32(index % interfaces.count))
        body.add(UInt32(units >> 32))
        body.add(UInt32(truncatingIfNeeded: units))
        body.add(UInt32(frame.count))
        body.add(UInt32(frame.count))
        body.add(frame)
        body.add([UInt8](repeating: 0, count: (4 - frame.count % 4) % 4))
      }
    }
    return image.bytes
  }

  private mutating func block(_ type: UInt32, _ fill: (inout CaptureImage) -> Void) {
    var body = CaptureImage(big: big)
    fill(&body)
    add(type)
    add(UInt32(body.bytes.count + 12))
    add(body.bytes)
    add(UInt32(body.bytes.count + 12))
  }
}

/// A folder that is gone after the test.
final class Scratch {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "/replay-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }

  func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
  }

  func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
  }
}

/// A TCP frame from 10.244.0.6 to 10.96.0.80:80 with a mark in its last byte.
func tcpFrame(mark: UInt8 = 0, source: UInt16 = 41000) -> [UInt8] {
  let ethernet: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 2, 6, 8, 0]
  let ip: [UInt8] = [0x45, 0, 0, 41, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 244, 0, 6, 10, 96, 0, 80]
  let port = [UInt8(source >> 8), UInt8(source & 255)]
  let tcp: [UInt8] = port + [0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xFF, 0xFF, 0, 0, 0, 0]
  return ethernet + ip + tcp + [mark]
}
