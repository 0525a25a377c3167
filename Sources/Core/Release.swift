/// The release that this is, of all its programs.
public enum Release {
  public static let version = "0.1.0"
}
