/// What the compiler made of `k8s_dp.p4`, inside the program: nothing has to be
/// found on disk.
public enum K8sDPArtefacts {
  /// The SWX pipeline, as text.
  public static var spec: String { String(decoding: PackageResources.k8s_dp_spec, as: UTF8.self) }

  /// P4Info, in protobuf's text format.
  public static var p4Info: String {
    String(decoding: PackageResources.p4Info_txt, as: UTF8.self)
  }

  /// What upstream's `infrap4d` needs besides: the actions and tables as its driver knows
  /// them, and as TDI does, in JSON.
  public static var context: [UInt8] { PackageResources.context_json }
  public static var tdi: [UInt8] { PackageResources.tdi_json }
}
