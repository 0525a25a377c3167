import Core
import Foundation
import StateDirectory

/// Which Service ports the manager may have been told of: on disk before it is, so that an
/// agent that starts again finds those that have gone meanwhile.
public final class ServiceMemory {
  private let directory: StateDirectory?
  public private(set) var services: Set<ServiceAddress> = []

  private static let file = "services"

  /// - Parameter directory: nil keeps nothing.
  public init(_ directory: StateDirectory?) {
    self.directory = directory
    guard let directory,
      let text = try? String(contentsOfFile: directory.path + "/" + Self.file, encoding: .utf8)
    else { return }
    for line in text.split(separator: "\n") {
      guard let service = ServiceAddress(String(line)) else {
        directory.setAside(Self.file, "\"\(line.prefix(60))\" is no Service port")
        services = []
        return
      }
      services.insert(service)
    }
  }

  func add(_ more: some Sequence<ServiceAddress>) throws {
    try replace(services.union(more))
  }

  func remove(_ some: Set<ServiceAddress>) throws {
    try replace(services.subtracting(some))
  }

  private func replace(_ now: Set<ServiceAddress>) throws {
    guard now != services else { return }
    try directory?.replace(
      Self.file, with: Data(now.map { "\($0)\n" }.sorted().joined().utf8))
    services = now
  }
}
