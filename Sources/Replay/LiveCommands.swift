/// The commands of `k8sdp` that look at a running node, in a build without them.
public enum LiveCommands {
  public static let names = ["capture", "flows", "top", "snapshot", "apply"]

  /// Why a command line is not understood, when it is one of them, also after `help`.
  public static func refusal(_ arguments: some Sequence<String>) -> ReplayError? {
    guard let name = arguments.first(where: { $0 != "help" }), names.contains(name) else {
      return nil
    }
    return ReplayError(
      name,
      "asks a running node, which this build cannot: it was made without the trait Infrap4d; "
        + "swift build --product k8sdp builds all commands")
  }
}
