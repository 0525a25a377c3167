/// What a ``Reflector`` tells for counting.
public enum ReflectorEvent: Sendable {
  /// All objects were listed.
  case listed
  /// A list or a watch failed, and is tried again.
  case failed
}
