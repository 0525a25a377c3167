import Foundation

/// What the open file descriptors of a process are, in words that are the same in its next life.
enum Descriptors {
  static func names(of process: Int32) throws -> [String] {
    let folder = "/proc/\(process)"
    let sockets = sockets(folder)
    return try FileManager.default.contentsOfDirectory(atPath: folder + "/fd").compactMap {
      // One that was closed meanwhile is none.
      guard
        let target = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "\(folder)/fd/\($0)")
      else { return nil }
      guard let number = target.wholeMatch(of: /(\w+):\[([0-9]+)\]/) else {
        return target.replacing("/proc/\(process)/", with: "/proc/self/")
      }
      return number.1 == "socket"
        ? sockets[String(number.2)] ?? "socket" : String(number.1)
    }
  }

  /// Names of sockets by their inodes.
  private static func sockets(_ folder: String) -> [String: String] {
    var names: [String: String] = [:]
    func table(_ name: String, _ take: ([Substring]) -> (inode: Substring, text: String)?) {
      // Such a file has no size, and is as long as it is.
      guard let file = FileHandle(forReadingAtPath: "\(folder)/net/\(name)"),
        let data = try? file.readToEnd()
      else { return }
      for line in String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst() {
        guard let found = take(line.split(separator: " ")) else { continue }
        names[String(found.inode)] = found.text
      }
    }
    for name in ["tcp", "tcp6"] {
      // sl local remote state … inode: the port that is known is the lower one.
      table(name) { fields in
        guard fields.count > 9 else { return nil }
        let ports = fields[1...2].compactMap { Int($0.suffix(4), radix: 16) }
        let isListening = fields[3] == "0A"
        let port = isListening ? ports.max() : ports.min()
        return (fields[9], "tcp \(port ?? 0)\(isListening ? ", listening" : "")")
      }
    }
    // num refs protocol flags type state inode path
    table("unix") { fields in
      guard fields.count > 6 else { return nil }
      let path = fields.count > 7 ? " " + fields[7] : ""
      let isListening = fields[3] == "00010000"
      return (fields[6], "unix\(path)\(isListening ? ", listening" : "")")
    }
    table("netlink") { fields in
      fields.last.map { ($0, "netlink \(fields.count > 1 ? fields[1] : "")") }
    }
    table("packet") { fields in fields.last.map { ($0, "packet") } }
    return names
  }
}
