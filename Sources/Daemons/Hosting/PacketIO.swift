import Core

/// The pipeline's port to its controller.
public protocol PacketIO: Sendable {
  /// Pushes a frame into the pipeline, as if it had come in on the controller's port.
  ///
  /// - Throws: ``DataplaneError/Code/unavailable`` when no pipeline is installed.
  func inject(_ frame: [UInt8]) async throws

  /// Frames that the pipeline sends to the controller's port. Frames are dropped
  /// while nobody takes them.
  func framesForController() -> AsyncStream<[UInt8]>
}
