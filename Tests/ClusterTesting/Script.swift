/// Parts of the Python programs of these tests.
public enum Script {
  /// Ends a program with the tests that started it, however those end.
  public static let ending = """
    import os as _os, threading as _threading, time as _time
    def _watch(parent=_os.getppid()):
        while _os.getppid() == parent: _time.sleep(0.5)
        _os._exit(1)
    _threading.Thread(target=_watch, daemon=True).start()
    """
}
