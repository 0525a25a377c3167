import Core

extension Pipeline {
  /// Packets prepared ahead, so that their cache misses overlap.
  static var stride: Int { 32 }

  /// Processes the frames of a batch as if they came one by one.
  ///
  /// - Parameters:
  ///   - now: in cycles.
  ///   - prepared: room for ``stride`` packets.
  mutating func process(
    _ batch: borrowing FrameBatch, now: UInt64, prepared: UnsafeMutablePointer<Packet>
  ) {
    var tracer = NoTracer()
    var start = 0
    while start < batch.count {
      let end = min(start &+ Self.stride, batch.count)
      for i in start..<end {
        let packet = prepared + (i &- start)
        packet.initialize(to: Packet(frame: batch.frame(i), now: now))
        prepare(&packet.pointee, length: Int(batch.lengths[i]))
      }
      var touched: UInt32 = 0
      for i in start..<end { touched ^= flows.touch(hash: prepared[i &- start].hash) }
      self.touched = touched
      for i in start..<end {
        batch.verdicts[i] = finish(&prepared[i &- start], &tracer)
      }
      start = end
    }
  }
}
