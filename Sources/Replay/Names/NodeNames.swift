import Core
import Foundation

/// What Kubernetes calls the pods and Services of a node: `/names.json` of its agent.
public struct NodeNames: Hashable, Sendable {
  private struct Page: Decodable {
    var pods: [String: String]
    var services: [String: String]
  }

  public private(set) var pods: [UInt32: String] = [:]
  public private(set) var services: [ServiceAddress: String] = [:]

  /// No names.
  public init() {}

  /// - Throws: for what is no such page.
  public init(json: Data, from place: String) throws(ReplayError) {
    let page: Page
    do { page = try JSONDecoder().decode(Page.self, from: json) } catch {
      throw ReplayError(place, "is no names.json of an agent")
    }
    for (text, name) in page.pods {
      guard let address = IPv4Address(text) else { continue }
      pods[address.value] = name
    }
    for (text, name) in page.services {
      guard let address = ServiceAddress(text) else { continue }
      services[address] = name
    }
  }

  /// Of a file that was saved before.
  public init(contentsOf path: String) throws(ReplayError) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw ReplayError(path, "cannot be read; check the path and its permissions")
    }
    try self.init(json: data, from: path)
  }

  public mutating func add(service: ServiceAddress, _ name: String) { services[service] = name }

  /// Names that a state file gives.
  mutating func add(_ book: NameBook) { pods.merge(book.addresses) { own, _ in own } }

  // MARK: From addresses to names

  public func pod(_ address: IPv4Address) -> String? { pods[address.value] }

  public func service(_ address: ServiceAddress) -> String? { services[address] }

  /// For traces.
  public var book: NameBook {
    var book = NameBook()
    book.addresses = pods
    for (address, name) in services.sorted(by: { $0.key.description < $1.key.description }) {
      book.services[address.address.value] = name
    }
    return book
  }

  /// `default/web:8080`, or the address and port when they have no name.
  public func text(pod socket: K8sDP.Connection.Socket) -> String {
    pod(socket.address).map { "\($0):\(socket.port)" } ?? "\(socket)"
  }

  public func text(service socket: K8sDP.Connection.Socket, _ transport: TransportProtocol)
    -> String
  {
    service(ServiceAddress(socket.address, transport, socket.port)).map { "\($0):\(socket.port)" }
      ?? "\(socket)"
  }

  // MARK: From names to addresses

  /// The address that a text is, or that a pod of this name has.
  ///
  /// - Parameter text: an address, `NAMESPACE/NAME`, or a `NAME` that only one pod has.
  public func podAddress(_ text: String) throws(ReplayError) -> IPv4Address {
    if let address = IPv4Address(text) { return address }
    return IPv4Address(try find(text, "pod", Array(pods)))
  }

  /// The addresses of a Service: one for each of its ports. Empty for a text that names none.
  public func serviceAddresses(_ text: String) throws(ReplayError) -> [ServiceAddress] {
    let named = services.filter { Self.matches($0.value, text) }
    guard Set(named.values).count < 2 else {
      throw ReplayError(
        text,
        "is the name of several Services: \(Set(named.values).sorted().joined(separator: ", "))")
    }
    return named.keys.sorted { $0.description < $1.description }
  }

  private func find(
    _ text: String, _ what: String, _ named: [(key: UInt32, value: String)]
  ) throws(ReplayError) -> UInt32 {
    let found = named.filter { Self.matches($0.value, text) }
    guard let first = found.first else {
      throw ReplayError(
        text,
        named.isEmpty
          ? "is no IPv4 address, and no names are known: give --names FILE or --agent HOST:PORT"
          : "is neither an IPv4 address nor the name of a \(what) of this node")
    }
    guard found.count == 1 else {
      throw ReplayError(
        text,
        "is the name of several: \(found.map(\.value).sorted().joined(separator: ", "))")
    }
    return first.key
  }

  private static func matches(_ name: String, _ text: String) -> Bool {
    name == text || name.split(separator: "/").last.map(String.init) == text
  }
}
