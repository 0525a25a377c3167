import Foundation
import NodeTesting

/// The P4Runtime client and server on the system's libgrpc++ (Cxx/), which share no code
/// with ours.
enum CxxPrograms {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let folder = root.appending(path: ".build/interop-cxx").path

  static let client = folder + "/p4runtime-client"
  static let server = folder + "/p4runtime-server"
  static let info = root.appending(path: "k8s_dp/p4Info.txt").path
  static let bundle = root.appending(path: "k8s_dp/k8s_dp.pb.bin").path

  /// Why they are not there, or nil. The first use builds them.
  static let reason: String? = {
    let script = root.appending(path: "scripts/interop/cxx.sh").path
    do {
      let outcome = try Command.runNow([script, folder])
      return outcome.status == 0 ? nil : String(outcome.output.suffix(1_000))
    } catch {
      return "\(error)"
    }
  }()
}
