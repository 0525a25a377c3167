import Foundation
import NodeTesting

/// A root file system for containers, made of packages of this machine's Debian: real programs
/// with the libraries that they are linked to. One serves all containers of a run.
actor ContainerRoot {
  static let shared = ContainerRoot()

  private static let packages = ["busybox-static", "curl", "bind9-dnsutils", "iputils-ping"]
  private var making: Task<String, any Error>?

  /// Makes it, unless that was done.
  ///
  /// - Returns: its path.
  func path() async throws -> String {
    let task = making ?? Task { try await Self.make() }
    making = task
    return try await task.value
  }

  private static func make() async throws -> String {
    let root = try TemporaryFolder.ofRun("root") + "/debian"
    // Only unpacked: curl and dig need no maintainer's script.
    try await Command.check(
      "sh", "-c",
      """
      set -e
      . /etc/os-release
      sources=$(find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.list' -size +0 \
        -o -name '*.sources' -size +0 2>/dev/null || true)
      mmdebstrap --quiet --mode=root --variant=extract \
        --include=\(packages.joined(separator: ",")) "$VERSION_CODENAME" \(root) $sources
      # Where packages rely on another one to have merged /usr.
      for folder in bin sbin lib lib64; do
        [ -e \(root)/$folder ] || ln -s usr/$folder \(root)/$folder
      done
      mkdir -p \(root)/proc \(root)/sys \(root)/dev \(root)/www
      """)
    return root
  }
}
