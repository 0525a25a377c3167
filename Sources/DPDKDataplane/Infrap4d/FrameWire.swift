import Core

/// A way for frames to a server's ports and back.
public protocol FrameWire: AnyObject {
  /// Sends a frame into a port and waits for what becomes of it.
  ///
  /// - Parameter frame: becomes the frame that came out, when one did.
  /// - Throws: ``DataplaneError/Code/unavailable`` when that cannot be known.
  func exchange(_ frame: inout [UInt8], port: PortID) throws(DataplaneError) -> Verdict
}
