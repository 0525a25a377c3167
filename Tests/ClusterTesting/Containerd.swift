import Foundation
import NodeTesting

/// A containerd of a test, with folders of its own.
public final class Containerd: Sendable {
  public static let missing: String? = {
    if let reason = Requirements.missing { return reason }
    let missing = ["containerd", "ctr", "runc", "mmdebstrap"].filter {
      (try? Command.runNow(["which", $0]))?.status != 0
    }
    return missing.isEmpty ? nil : "not installed: \(missing.joined(separator: ", "))"
  }()

  private let folder: String
  private let node: ClusterNode
  private let program: RunningProgram

  public init(_ node: ClusterNode) async throws {
    folder = node.folder + "/containerd"
    self.node = node
    let plugins = folder + "/bin"
    for path in [plugins, folder + "/net.d", "/etc/cni/net.d", "/opt/cni/bin"] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    for plugin in ["loopback", "host-local"] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(plugins)/\(plugin)", withDestinationPath: "/usr/lib/cni/\(plugin)")
    }
    try FileManager.default.createSymbolicLink(
      atPath: plugins + "/infra-cni",
      withDestinationPath: ClusterNode.products.appendingPathComponent("infra-cni").path)
    try node.network.write(
      toFile: folder + "/net.d/10-infra.conf", atomically: true, encoding: .utf8)
    try """
    version = 2
    root = "\(folder)/root"
    state = "\(folder)/state"
    disabled_plugins = ["io.containerd.grpc.v1.cri"]
    [grpc]
    address = "\(folder)/sock"
    """.write(toFile: folder + "/config.toml", atomically: true, encoding: .utf8)
    // It dies with the shell, however that ends.
    program = try RunningProgram([
      "sh", "-c", "setpriv --pdeathsig KILL \"$@\"; exit $?", "sh", "containerd", "--config",
      folder + "/config.toml",
    ])
    try await program.wait(for: "containerd successfully booted")
  }

  deinit {
    let ctr = "ctr -a \(folder)/sock task"
    _ = try? Command.runNow([
      "sh", "-c", "for task in $(\(ctr) ls -q); do \(ctr) kill -s KILL $task; done",
    ])
    program.kill()
  }

  /// `ctr`, which looks for CNI plugins where all the world has them: there it finds the
  /// test's.
  fileprivate func command(_ arguments: [String]) -> [String] {
    [
      "unshare", "-m", "sh", "-c",
      "mount --bind \(folder)/net.d /etc/cni/net.d && mount --bind \(folder)/bin /opt/cni/bin "
        + "&& exec ctr -a \(folder)/sock \"$@\"", "sh",
    ] + arguments
  }

  /// Starts a web server in a container, which answers its name.
  public func run(_ name: String) async throws -> Container {
    let root = try await ContainerRoot.shared.path()
    let pages = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: pages, withIntermediateDirectories: true)
    try name.write(toFile: pages + "/name", atomically: true, encoding: .utf8)
    let program = try RunningProgram(
      command([
        "run", "--rootfs", "--cni", "--mount", "type=bind,src=\(pages),dst=/www,options=rbind:ro",
        root, name, "/bin/busybox", "sh", "-c",
        "echo started; exec /bin/busybox httpd -f -p 8080 -h /www",
      ]))
    try await program.wait(for: "started")
    // `ctr` connects it once it has started.
    var ip = ""
    try await node.until("\(name) has an address", isTold: false) {
      let output = try await exec(
        name, ["/bin/busybox", "ip", "-o", "-4", "addr", "show", "dev", "eth0"])
      let address = output.split(separator: " ").first { $0.hasSuffix("/32") }
      ip = address.map { String($0.dropLast(3)) } ?? ""
      return address != nil
    }
    node.story.tell("containerd runs the container \(name), \(ip)")
    return Container(name: name, ip: ip, program: program, containerd: self)
  }

  /// Runs a program in a container.
  fileprivate func exec(_ name: String, _ arguments: [String]) async throws -> String {
    let identifier = UUID().uuidString.prefix(8).lowercased()
    return try await Command.run(
      command(["task", "exec", "--exec-id", identifier, name] + arguments)
    ).output
  }

  /// One container with a web server.
  public struct Container: Sendable {
    public let name: String
    public let ip: String
    fileprivate let program: RunningProgram
    fileprivate let containerd: Containerd

    /// Runs one of its programs, by its path.
    public func exec(_ command: String...) async throws -> String {
      try await containerd.exec(name, command)
    }

    /// SIGKILL to all of it, and waits until the runtime has disconnected it.
    public func kill() async throws {
      _ = try await Command.run(containerd.command(["task", "kill", "-s", "KILL", name]))
      while program.isRunning { try await Task.sleep(for: .milliseconds(10)) }
    }
  }
}
