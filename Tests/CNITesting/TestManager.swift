import CNIBackend
import Core
import InfraProtos

/// A manager of a test: it keeps what it was told, refuses what contradicts that, and
/// fails where it is asked to.
public actor TestManager: PodNetworks {
  /// Where a call goes wrong; each fault once.
  public enum Fault: String, CaseIterable, Sendable {
    case createRefused, createAnswerLost, deleteRefused, deleteAnswerLost
    /// The caller is not answered as long as the test lasts, as if it had been killed.
    case createHangsBefore, createHangsAfter, deleteHangsBefore, deleteHangsAfter
  }

  public struct Network: Hashable, Sendable {
    public var tap: String
    public var mac: MACAddress
    public init(tap: String, mac: MACAddress) {
      self.tap = tap
      self.mac = mac
    }
  }

  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  public private(set) var networks: [IPv4Address: Network] = [:]
  public private(set) var creations = 0
  public init() {}

  private var fault: Fault?
  private let (hangs, hung) = AsyncStream<Void>.makeStream()
  private var hanging: [CheckedContinuation<Void, Never>] = []

  public func fail(_ fault: Fault?) { self.fault = fault }

  /// Waits until a call hangs.
  public func untilItHangs() async {
    var hangs = hangs.makeAsyncIterator()
    await hangs.next()
  }

  public func create(_ request: Cni_AddRequest, tap: String, mac: MACAddress) async throws {
    try await meet(.createRefused, .createHangsBefore)
    let text = request.containerIps.first?.address.split(separator: "/").first ?? ""
    guard let address = IPv4Address(String(text)) else { throw Failure(description: "no address") }
    let network = Network(tap: tap, mac: mac)
    guard networks[address] ?? network == network else {
      throw Failure(description: "a different entry for \(address) exists")
    }
    networks[address] = network
    creations += 1
    try await meet(.createAnswerLost, .createHangsAfter)
  }

  public func delete(
    _ request: Cni_DelRequest, tap: String, mac: MACAddress, address: IPv4Address
  ) async throws {
    try await meet(.deleteRefused, .deleteHangsBefore)
    networks[address] = nil
    try await meet(.deleteAnswerLost, .deleteHangsAfter)
  }

  private func meet(_ failure: Fault, _ hang: Fault) async throws {
    guard let fault, fault == failure || fault == hang else { return }
    self.fault = nil
    guard fault == hang else { throw Failure(description: fault.rawValue) }
    await withCheckedContinuation { caller in
      hanging.append(caller)
      hung.yield()
    }
    throw Failure(description: fault.rawValue)
  }

  /// Ends the calls that hang: whoever waits for them has references to namespaces.
  public func letGo() {
    for caller in hanging { caller.resume() }
    hanging = []
  }
}
