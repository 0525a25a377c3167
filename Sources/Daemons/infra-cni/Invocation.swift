import Foundation
import Netlink

/// What the runtime asks for in the environment.
struct Invocation: Sendable {
  enum Command: String, Sendable {
    case add = "ADD"
    case del = "DEL"
    case check = "CHECK"
    case gc = "GC"
    case status = "STATUS"
    case version = "VERSION"

    /// The variables that it cannot do without.
    fileprivate var required: [String] {
      switch self {
      case .add, .check: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"]
      case .del: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"]
      case .gc, .status: ["CNI_PATH"]
      case .version: []
      }
    }
  }

  var command: Command
  var containerID: String
  /// May be empty in a DEL.
  var netns: String
  var interface: String
  /// `CNI_ARGS`: `KEY=VALUE;…`.
  var arguments: [String: String]
  /// Where the plugins are.
  var folders: [String]

  /// - Throws: ``CNIError/Code/invalidEnvironment``.
  init(_ environment: [String: String]) throws(CNIError) {
    guard let name = environment["CNI_COMMAND"], let command = Command(rawValue: name) else {
      throw CNIError(
        .invalidEnvironment,
        environment["CNI_COMMAND"].map { "CNI_COMMAND \($0) is unknown" }
          ?? "CNI_COMMAND is missing", "ADD, DEL, CHECK, GC, STATUS or VERSION")
    }
    let missing = command.required.filter { (environment[$0] ?? "").isEmpty }
    guard missing.isEmpty else {
      throw CNIError(
        .invalidEnvironment, "\(missing.joined(separator: ", ")) missing",
        "\(name) needs \(command.required.joined(separator: ", "))")
    }
    self.command = command
    containerID = environment["CNI_CONTAINERID"] ?? ""
    netns = environment["CNI_NETNS"] ?? ""
    interface = environment["CNI_IFNAME"] ?? ""
    folders = (environment["CNI_PATH"] ?? "").split(separator: ":").map(String.init)
    arguments = Dictionary(
      (environment["CNI_ARGS"] ?? "").split(separator: ";").compactMap { pair in
        let parts = pair.split(separator: "=", maxSplits: 1)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
      }, uniquingKeysWith: { _, last in last })
    guard command == .add || command == .del || command == .check else { return }
    guard containerID.isIdentifier else {
      throw CNIError(
        .invalidEnvironment, "CNI_CONTAINERID is no identifier",
        "letters and digits, and after the first also . _ -")
    }
    if let reason = Link.misnomer(interface) {
      throw CNIError(.invalidEnvironment, "CNI_IFNAME \(reason)")
    }
  }

  init(_ command: Command, containerID: String, netns: String, interface: String, like: Self) {
    self = like
    self.command = command
    self.containerID = containerID
    self.netns = netns
    self.interface = interface
  }
}

extension String {
  /// As the specification has names of networks and containers. Neither has a place to go
  /// to in a file system.
  var isIdentifier: Bool {
    let plain = { (byte: UInt8) in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    guard let first = utf8.first, plain(first), utf8.count <= 200 else { return false }
    return utf8.allSatisfy { plain($0) || [0x2E, 0x5F, 0x2D].contains($0) }
  }
}
