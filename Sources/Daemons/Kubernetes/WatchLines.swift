import NIOCore

/// Cuts the body of a watch into lines, whatever pieces it comes in.
struct WatchLines {
  private var rest = ByteBuffer()
  /// Bytes of `rest` that are known to have no end of a line.
  private var searched = 0

  /// - Returns: the lines that are whole now, without empty ones.
  /// - Throws: ``KubernetesError`` for one that does not end.
  mutating func take(_ part: ByteBuffer) throws(KubernetesError) -> [ByteBuffer] {
    rest.writeImmutableBuffer(part)
    var lines: [ByteBuffer] = []
    while let end = rest.readableBytesView.dropFirst(searched).firstIndex(of: 0x0A) {
      let length = end - rest.readerIndex
      searched = 0
      if let line = rest.readSlice(length: length), length > 0 { lines.append(line) }
      rest.moveReaderIndex(forwardBy: 1)
    }
    searched = rest.readableBytes
    guard rest.readableBytes <= KubernetesClient.longestLine else {
      throw KubernetesError(
        .protocolError, "an event of a watch has over \(KubernetesClient.longestLine) bytes")
    }
    rest.discardReadBytes()
    return lines
  }
}
