import CPcap
import Glibc

/// ARP on one interface, by libpcap.
final class ARPListener {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private let handle: OpaquePointer
  /// Milliseconds until ``answer(with:)`` returns without a frame.
  private static let patience: Int32 = 100

  /// - Throws: when the interface is not there or this process may not listen (CAP_NET_RAW).
  init(_ interface: String) throws(Failure) {
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = pcap_create(interface, &message) else {
      throw Failure(description: "\(interface): \(String(cString: message))")
    }
    self.handle = handle
    pcap_set_snaplen(handle, 64)
    pcap_set_immediate_mode(handle, 1)
    guard pcap_activate(handle) >= 0 else { throw failure(interface) }
    var program = bpf_program()
    guard pcap_compile(handle, &program, "arp", 1, PCAP_NETMASK_UNKNOWN) == 0 else {
      throw failure(interface)
    }
    defer { pcap_freecode(&program) }
    guard pcap_setfilter(handle, &program) == 0, pcap_setdirection(handle, PCAP_D_IN) == 0,
      pcap_setnonblock(handle, 1, &message) == 0
    else { throw failure(interface) }
  }

  deinit { pcap_close(handle) }

  /// Waits a moment for a frame, and answers it if it is to be answered.
  ///
  /// - Returns: false when nothing came: libpcap does not always tell that an interface is gone.
  /// - Throws: when it cannot go on.
  func answer(with mac: [UInt8]) throws(Failure) -> Bool {
    // libpcap's own timeout does not end its wait for the first frame.
    var waiting = pollfd(fd: pcap_get_selectable_fd(handle), events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, Self.patience) != 0 else { return false }
    var header: UnsafeMutablePointer<pcap_pkthdr>?
    var data: UnsafePointer<UInt8>?
    switch pcap_next_ex(handle, &header, &data) {
    case 0: return false
    case 1: break
    default: throw failure("receive")
    }
    guard let header, let data else { return false }
    let frame = UnsafeBufferPointer(start: data, count: Int(header.pointee.caplen))
    guard let reply = ARPReply(answering: frame, mac: mac) else { return true }
    guard pcap_inject(handle, reply.frame, reply.frame.count) == reply.frame.count else {
      throw failure("send")
    }
    return true
  }

  private func failure(_ what: String) -> Failure {
    Failure(description: "\(what): \(String(cString: pcap_geterr(handle)))")
  }
}
