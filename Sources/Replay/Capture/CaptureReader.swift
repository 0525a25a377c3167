import CPcap

/// Reads a pcap or pcapng file of Ethernet frames through libpcap, one by one.
///
/// Both byte orders and micro- and nanosecond files are read; times come out in
/// nanoseconds. A pcapng file may hold several interfaces as long as they have
/// the same link type and snap length: libpcap 1.10 refuses others (sf-pcapng.c).
public final class CaptureReader {
  /// The file's path as it was given, for messages.
  public let path: String
  private let handle: OpaquePointer
  private var count = 0

  /// Opens a capture.
  ///
  /// - Throws: When the file cannot be read, is no capture, or is not Ethernet.
  public init(path: String) throws(ReplayError) {
    self.path = path
    var buffer = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    let opened = pcap_open_offline_with_tstamp_precision(
      path, UInt32(PCAP_TSTAMP_PRECISION_NANO), &buffer)
    guard let opened else {
      throw ReplayError(path, Self.explain(Self.text(buffer), path: path))
    }
    handle = opened
    let linkType = pcap_datalink(handle)
    guard linkType == DLT_EN10MB else {
      let name = pcap_datalink_val_to_name(linkType).map { String(cString: $0) } ?? "\(linkType)"
      throw ReplayError(
        path, "link type is \(name), not Ethernet; capture on one interface, not on \"any\"")
    }
  }

  deinit { pcap_close(handle) }

  /// The next frame, or nil at the end of the file.
  ///
  /// - Throws: When the file ends inside a frame or is damaged, and when a frame
  ///   was cut by a snap length.
  public func next() throws(ReplayError) -> CapturedFrame? {
    var header: UnsafeMutablePointer<pcap_pkthdr>?
    var data: UnsafePointer<UInt8>?
    let result = pcap_next_ex(handle, &header, &data)
    if result == PCAP_ERROR_BREAK { return nil }
    count += 1
    guard result == 1, let header = header?.pointee else {
      throw error(Self.explain(String(cString: pcap_geterr(handle)), path: path))
    }
    guard header.caplen >= header.len else {
      throw error(
        "only \(header.caplen) of \(header.len) bytes are there: captured with a snap length; "
          + "capture again with -s 0")
    }
    guard header.caplen == header.len else {
      throw error(
        "holds more bytes than the frame had (\(header.caplen) of \(header.len)); "
          + "the file is damaged")
    }
    guard let nanoseconds = Self.nanoseconds(header.ts) else {
      throw error("time stamp is before 1970 or after 2554; the file is damaged")
    }
    let bytes = [UInt8](
      UnsafeBufferPointer(start: data, count: data == nil ? 0 : Int(header.caplen)))
    return CapturedFrame(number: count, nanoseconds: nanoseconds, bytes: bytes)
  }

  private func error(_ message: String) -> ReplayError {
    ReplayError("\(path): frame \(count)", message)
  }

  /// With nanosecond precision asked for, `tv_usec` holds nanoseconds.
  private static func nanoseconds(_ time: timeval) -> UInt64? {
    guard let seconds = UInt64(exactly: time.tv_sec), let rest = UInt64(exactly: time.tv_usec)
    else { return nil }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = whole.addingReportingOverflow(rest)
    return overflow || carry ? nil : sum
  }

  private static func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// libpcap's message without the path in front, and with what to do.
  private static func explain(_ message: String, path: String) -> String {
    let text = message.hasPrefix("\(path): ") ? String(message.dropFirst(path.count + 2)) : message
    let advice: [(String, String)] = [
      ("unknown file format", "give a pcap or pcapng file; unpack it first if it is compressed"),
      ("truncated", "the file is cut short; capture or copy it again"),
      ("different from the type of the first", "write each interface to a file of its own"),
      ("different from the snapshot length", "write each interface to a file of its own"),
      ("no Interface Description", "it holds no frames; leave it out"),
      ("No such file", "check the path"),
      ("Permission denied", "check its permissions"),
      ("Is a directory", "give a capture file"),
    ]
    let what = advice.first { text.contains($0.0) }?.1 ?? "the file is damaged; capture it again"
    return "\(text); \(what)"
  }
}
