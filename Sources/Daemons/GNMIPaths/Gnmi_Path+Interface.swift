import GNMIProtos
import SwiftProtobuf

extension Gnmi_Path {
  /// `/interfaces/virtual-interface[name=NAME]/…`, as upstream's `infrap4d` names a port
  /// (openconfig-interfaces, Stratum's extension).
  ///
  /// - Parameters:
  ///   - name: of the device, such as `P4TAP_0`.
  ///   - rest: what follows, such as `config`, `tdi-portin-id`; nothing is the device itself.
  public static func virtualInterface(_ name: String, _ rest: [String] = []) -> Gnmi_Path {
    .with {
      $0.elem = [
        .with { $0.name = "interfaces" },
        .with {
          $0.name = "virtual-interface"
          $0.key = ["name": name]
        },
      ]
      $0.elem += rest.map { part in .with { $0.name = part } }
    }
  }
}
