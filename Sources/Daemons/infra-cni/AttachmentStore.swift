import Foundation
import Logging
import StateDirectory

/// What is attached to a network, a file each: the runtime may not tell the namespace when
/// it ends an attachment, and never does when it collects garbage.
struct AttachmentStore: Sendable {
  struct Attachment: Codable, Hashable {
    var containerID: String
    var ifname: String
    var netns: String
    /// What the IPAM plugin answered; nil without one, and before it did.
    var leased: CNIResult?
  }

  private let folder: String

  init(_ configuration: NetworkConfiguration) {
    folder = configuration.dataDir + "/" + configuration.name
  }

  subscript(containerID: String, interface: String) -> Attachment? {
    guard let bytes = FileManager.default.contents(atPath: path(containerID, interface)) else {
      return nil
    }
    return try? JSONDecoder().decode(Attachment.self, from: bytes)
  }

  /// Those whose files can be read.
  var all: [Attachment] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(Self.suffix) }.sorted().compactMap { name in
      FileManager.default.contents(atPath: "\(folder)/\(name)").flatMap {
        try? JSONDecoder().decode(Attachment.self, from: $0)
      }
    }
  }

  /// Writes an attachment, which survives this program; after a crash of the machine there are
  /// no pods.
  func keep(_ attachment: Attachment) throws(CNIError) {
    do {
      // Nothing is put aside here, so nothing is said.
      let quiet = Logger(label: "attachments") { _ in SwiftLogNoOpLogHandler() }
      try StateDirectory(folder, logger: quiet).replace(
        Self.name(attachment.containerID, attachment.ifname),
        with: try JSONEncoder().encode(attachment), isDurable: false)
    } catch {
      throw CNIError(.ioFailure, "the attachment cannot be written down", "\(error)")
    }
  }

  func remove(_ containerID: String, _ interface: String) throws(CNIError) {
    do {
      try FileManager.default.removeItem(atPath: path(containerID, interface))
    } catch CocoaError.fileNoSuchFile {
    } catch {
      throw CNIError(.ioFailure, "an attachment cannot be forgotten", "\(error)")
    }
  }

  private func path(_ containerID: String, _ interface: String) -> String {
    "\(folder)/\(Self.name(containerID, interface))"
  }

  private static let suffix = ".json"

  // Neither has a slash in it.
  private static func name(_ containerID: String, _ interface: String) -> String {
    "\(containerID)+\(interface)\(suffix)"
  }
}
