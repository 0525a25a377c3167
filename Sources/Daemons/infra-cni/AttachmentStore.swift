import Foundation
import Logging
import StateDirectory

/// What is attached to a network, a file each: the runtime may not tell the namespace when
/// it ends an attachment, and never does when it collects garbage.
/// No attachment outlives the machine's run: it belongs into memory, and on ext4 a new file takes
/// more than a millisecond for minutes after many were removed.
///
/// A file grows by lines of JSON, the last of which holds.
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
    Self.read(path(containerID, interface))
  }

  /// Those whose files can be read.
  var all: [Attachment] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(Self.suffix) }.sorted().compactMap {
      Self.read("\(folder)/\($0)")
    }
  }

  /// A line that was cut short is passed over.
  private static func read(_ path: String) -> Attachment? {
    guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    return lines.lazy.reversed().compactMap {
      try? JSONDecoder().decode(Attachment.self, from: $0)
    }.first
  }

  /// Writes an attachment, which survives this program; after a crash of the machine there are
  /// no pods.
  func keep(_ attachment: Attachment) throws(CNIError) {
    do {
      // Nothing is put aside here, so nothing is said.
      let quiet = Logger(label: "attachments") { _ in SwiftLogNoOpLogHandler() }
      // What is before the line may have been cut short.
      try StateDirectory(folder, logger: quiet).append(
        try Data("\n".utf8) + JSONEncoder().encode(attachment),
        to: Self.name(attachment.containerID, attachment.ifname))
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
