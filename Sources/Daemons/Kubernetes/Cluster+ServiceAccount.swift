import Foundation
import NIOSSL

extension Cluster {
  /// Where Kubernetes mounts it.
  public static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

  /// What a pod is given: its service account.
  ///
  /// - Returns: nil outside of a cluster.
  public static func inCluster(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    folder: String = serviceAccountFolder
  ) throws(KubernetesError) -> Cluster? {
    guard let host = environment["KUBERNETES_SERVICE_HOST"],
      let port = environment["KUBERNETES_SERVICE_PORT"]
    else { return nil }
    var cluster = Cluster(
      server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    cluster.token = .file(folder + "/token")
    cluster.authorities = try certificates(file: folder + "/ca.crt")
    return cluster
  }

  static func certificates(file: String) throws(KubernetesError) -> [NIOSSLCertificate] {
    do {
      return try NIOSSLCertificate.fromPEMFile(file)
    } catch {
      throw KubernetesError(
        .configuration, "\(file) holds no certificates in PEM form, or is not there")
    }
  }
}
