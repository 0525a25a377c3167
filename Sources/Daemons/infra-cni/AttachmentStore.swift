import Foundation

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
    return names.sorted().compactMap { name in
      FileManager.default.contents(atPath: "\(folder)/\(name)").flatMap {
        try? JSONDecoder().decode(Attachment.self, from: $0)
      }
    }
  }

  func keep(_ attachment: Attachment) throws(CNIError) {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try JSONEncoder().encode(attachment).write(
        to: URL(fileURLWithPath: path(attachment.containerID, attachment.ifname)), options: .atomic)
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

  // Neither has a slash in it.
  private func path(_ containerID: String, _ interface: String) -> String {
    "\(folder)/\(containerID)+\(interface).json"
  }
}
