import Core
import InfraProtos

/// The Infra Manager, as far as pods are concerned. Both calls may be repeated.
public protocol PodNetworks: Sendable {
  /// Makes the pipeline forward to a pod.
  ///
  /// - Parameters:
  ///   - request: the Add as it came.
  ///   - tap: the port's name in infrap4d.
  ///   - mac: of the pod's interface.
  func create(_ request: Cni_AddRequest, tap: String, mac: MACAddress) async throws

  /// Makes the pipeline forget a pod; one that it does not know is no error.
  func delete(
    _ request: Cni_DelRequest, tap: String, mac: MACAddress, address: IPv4Address
  ) async throws
}
