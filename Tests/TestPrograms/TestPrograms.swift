/// What the compiler made of the P4 programs of tests. compile.sh makes it anew.
public enum TestPrograms {
  /// `border.p4`: direct counters, idle timeouts, lpm and ternary matches, registers, meters.
  public enum Border {
    /// The SWX pipeline, as text.
    public static var spec: String { String(decoding: PackageResources.border_spec, as: UTF8.self) }

    /// P4Info, in protobuf's text format.
    public static var p4Info: String {
      String(decoding: PackageResources.border_p4info_txt, as: UTF8.self)
    }
  }
}
