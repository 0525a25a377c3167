import Core
import Kubernetes

/// What a Service and its EndpointSlices mean, as kube-proxy of Kubernetes 1.30 reads them:
/// ClusterIPs of IPv4, ports of TCP and UDP. External addresses, node ports and session
/// affinity are not programmed.
public enum ServiceTranslation {
  /// Says whose Service it is, if not kube-proxy's.
  static let proxyLabel = "service.kubernetes.io/service-proxy-name"
  /// Says that it is of no use to proxies.
  static let headlessLabel = "service.kubernetes.io/headless"

  /// - Parameter node: this node's name, for `internalTrafficPolicy: Local`.
  /// - Returns: an entry for each port, in the order of the Service's.
  public static func translate(
    _ service: Service, _ slices: [EndpointSlice], node: String
  ) -> [Translation] {
    guard let spec = service.spec, spec.type != "ExternalName", isOurs(service),
      let address = clusterIP(spec)
    else { return [] }
    let slices = slices.filter { $0.addressType == "IPv4" && isOurs($0) }
    var translations: [Translation] = []
    for port in spec.ports ?? [] {
      guard let transport = transport(port.protocol), let number = UInt16(exactly: port.port),
        number > 0
      else { continue }
      let at = ServiceAddress(address, transport, number)
      guard !translations.contains(where: { $0.service == at }) else { continue }
      translations.append(
        Translation(at, endpoints(of: port, spec, slices, node)))
    }
    return translations
  }

  private static func isOurs(_ object: some KubernetesObject) -> Bool {
    let labels = object.metadata.labels ?? [:]
    return labels[proxyLabel] == nil && labels[headlessLabel] == nil
  }

  private static func clusterIP(_ spec: Service.Spec) -> IPv4Address? {
    for text in spec.clusterIPs ?? [spec.clusterIP ?? ""] {
      if let address = IPv4Address(text), address.value != 0 { return address }
    }
    return nil
  }

  private static func transport(_ name: String?) -> TransportProtocol? {
    switch name ?? "TCP" {
    case "TCP": .tcp
    case "UDP": .udp
    default: nil
    }
  }

  /// Those that are ready. When none is, those that still serve while they end (KEP-1669).
  private static func endpoints(
    of port: Service.Port, _ spec: Service.Spec, _ slices: [EndpointSlice], _ node: String
  ) -> [Translation.Endpoint] {
    var ready: [Translation.Endpoint] = []
    var ending: [Translation.Endpoint] = []
    let isLocal = spec.internalTrafficPolicy == "Local"
    for slice in slices {
      for target in slice.ports ?? []
      where (target.name ?? "") == (port.name ?? "")
        && (target.protocol ?? "TCP") == (port.protocol ?? "TCP")
      {
        guard let number = target.port.flatMap(UInt16.init(exactly:)), number > 0 else { continue }
        for endpoint in slice.endpoints ?? [] where !isLocal || endpoint.nodeName == node {
          // All addresses of an endpoint are the same one; the first is it (since 1.22).
          guard let text = endpoint.addresses.first, let address = IPv4Address(text) else {
            continue
          }
          let found = Translation.Endpoint(address, number)
          let conditions = endpoint.conditions
          // What is not said is true of being ready and of serving, false of ending.
          if conditions?.ready ?? true {
            ready.append(found)
          } else if conditions?.serving ?? true, conditions?.terminating ?? false {
            ending.append(found)
          }
        }
      }
    }
    return ready.isEmpty ? ending : ready
  }
}
