import Core

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One dataplane under measurement, driven through its batch call.
///
/// Times are processor time of this process, of the batch calls only: copying
/// frames into a batch, which a network card would do, is not counted.
final class BenchSubject {
  /// Frames a batch: what poll-mode drivers hand over is 32 to 256.
  static let batchSize = 256

  let dataplane: any Dataplane
  private var batch = FrameBatch(capacity: batchSize, maximumLength: 256)
  /// Virtual time, where the dataplane has it.
  private var now = Timestamp.zero
  private var nextFlow = 0

  init(_ dataplane: any Dataplane) { self.dataplane = dataplane }

  /// Programs the Service for all flows that will come.
  func program(flows: Int) throws(ReplayError) {
    let updates = try BenchService.updates(
      for: dataplane.contract, clients: BenchTraffic.clients(flows: flows))
    do { try dataplane.apply(updates) } catch {
      throw ReplayError(error, dataplane: dataplane.name)
    }
  }

  /// Opens connections that were not there before.
  ///
  /// - Returns: connections a second.
  func open(flows: Int) throws(ReplayError) -> Double {
    let traffic = BenchTraffic(flows: flows)
    let seconds = try pass(traffic.requests(first: nextFlow, flags: .syn), count: flows)
    nextFlow += flows
    return Double(flows) / seconds
  }

  /// Lets more time pass than a handshake may take, so that flows that were only
  /// opened are forgotten. Does nothing to a dataplane in real time.
  func forgetOpened() { now.nanoseconds += 120 * 1_000_000_000 }

  /// Opens connections and completes their handshakes.
  ///
  /// - Returns: a request and a reply of each, in turn.
  func establish(flows: Int) throws(ReplayError) -> FrameList {
    let traffic = BenchTraffic(flows: flows)
    let first = nextFlow
    _ = try open(flows: flows)
    let requests = traffic.requests(first: first, flags: [.ack])
    var both = FrameList(frameLength: BenchTraffic.frameLength)
    _ = try pass(requests, count: flows) { number, request, port in
      requests.withFrame(number) { both.append($0, port: BenchTraffic.clientPort) }
      both.append(traffic.reply(to: request), port: port)
    }
    return both
  }

  /// Packets a second of connections that are there.
  func forward(_ frames: FrameList, packets: Int) throws(ReplayError) -> Double {
    Double(packets) / (try pass(frames, count: packets))
  }

  /// Sends frames and counts the seconds. Some are lost to full buckets: in real
  /// time no flow of an earlier round is forgotten yet.
  private func pass(
    _ frames: FrameList, count: Int, each: ((Int, UnsafeRawBufferPointer, PortID) -> Void)? = nil
  ) throws(ReplayError) -> Double {
    var seconds = 0.0
    var forwarded = 0
    for first in stride(from: 0, to: count, by: Self.batchSize) {
      batch.removeAll()
      frames.fill(&batch, first: first, count: min(Self.batchSize, count - first))
      let start = Self.processorSeconds()
      dataplane.process(batch, at: now)
      seconds += Self.processorSeconds() - start
      for i in 0..<batch.count {
        guard case .forward(let port) = batch.verdict(i) else { continue }
        forwarded += 1
        each?(first + i, batch.bytes(i), port)
      }
    }
    guard forwarded > count * 99 / 100 else {
      throw ReplayError(
        "bench", "\(dataplane.name) forwarded only \(forwarded) of \(count) frames")
    }
    return seconds
  }

  static func processorSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
  }
}
