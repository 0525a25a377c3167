import Core
import Kubernetes

/// The Services and slices that the API server has, and what they come to.
public struct ServiceWorld: Sendable {
  private let node: String
  private var services: [ObjectName: Service] = [:]
  private var slices: [ObjectName: EndpointSlice] = [:]
  /// Service → its slices' names.
  private var slicesOf: [ObjectName: Set<ObjectName>] = [:]
  /// Service → what it comes to.
  private var translations: [ObjectName: [Translation]] = [:]
  /// Services of which something changed since they were translated.
  private var stale: Set<ObjectName> = []
  /// What has to be, by Service port.
  public private(set) var desired: [ServiceAddress: [Translation.Endpoint]] = [:]
  /// Whose the Service ports are: two Services cannot have one.
  private(set) var owners: [ServiceAddress: ObjectName] = [:]
  /// Services whose clients shall keep their endpoint, which the pipeline does not do.
  public private(set) var affine: Set<ObjectName> = []

  public init(node: String) { self.node = node }

  public mutating func apply(_ change: Reflector<Service>.Change) {
    switch change {
    case .all(let all):
      stale.formUnion(services.keys)
      stale.formUnion(all.keys)
      services = all
    case .changed(let service):
      services[service.objectName] = service
      stale.insert(service.objectName)
    case .deleted(let name):
      services[name] = nil
      stale.insert(name)
    }
  }

  public mutating func apply(_ change: Reflector<EndpointSlice>.Change) {
    switch change {
    case .all(let all):
      for name in slices.keys where all[name] == nil { put(nil, at: name) }
      for (name, slice) in all { put(slice, at: name) }
    case .changed(let slice): put(slice, at: slice.objectName)
    case .deleted(let name): put(nil, at: name)
    }
  }

  private mutating func put(_ slice: EndpointSlice?, at name: ObjectName) {
    if let service = slices[name]?.service {
      slicesOf[service]?.remove(name)
      if slicesOf[service]?.isEmpty == true { slicesOf[service] = nil }
      stale.insert(service)
    }
    slices[name] = slice
    if let service = slice?.service {
      slicesOf[service, default: []].insert(name)
      stale.insert(service)
    }
  }

  /// Brings ``desired`` up to date.
  ///
  /// - Returns: the Service ports that are other than they were.
  public mutating func settle() -> Set<ServiceAddress> {
    var touched: Set<ServiceAddress> = []
    var before: [ServiceAddress: [Translation.Endpoint]] = [:]
    // What goes away comes first, so that another Service can have its address at once.
    for name in stale {
      for old in translations[name] ?? [] where owners[old.service] == name {
        owners[old.service] = nil
        before[old.service] = desired.removeValue(forKey: old.service)
        touched.insert(old.service)
      }
      translations[name] = nil
      affine.remove(name)
    }
    for name in stale.sorted() {
      guard let service = services[name] else { continue }
      let slices = (slicesOf[name] ?? []).sorted().compactMap { self.slices[$0] }
      let now = ServiceTranslation.translate(service, slices, node: node)
      translations[name] = now
      if !now.isEmpty, service.spec?.sessionAffinity == "ClientIP" { affine.insert(name) }
      for translation in now where owners[translation.service] == nil {
        owners[translation.service] = name
        desired[translation.service] = translation.endpoints
        touched.insert(translation.service)
      }
    }
    stale = []
    return touched.filter { before[$0] != desired[$0] }
  }
}
