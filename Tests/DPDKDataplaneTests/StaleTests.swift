#if DPDK
  import Core
  import Glibc
  import Testing

  @testable import DPDKDataplane

  extension Engine {
    @Suite struct Stale {
      /// Reads an IPv4 header of frames that have none, and a port that no path
      /// has written.
      private let text = TestSpecs.router
        .replacing("jmpneq OUT h.ethernet.type 0x800", with: "jmpneq SKIP h.ethernet.type 0x800")
        .replacing("jmpgt ROUTE", with: "SKIP : jmpgt ROUTE")
        .replacing("mov m.out_port 0x1\n", with: "jmp NEXT\n")
        .replacing("  jmpneq SKIP", with: "  NEXT : jmpneq SKIP")

      private func answers(_ stale: UInt8?) throws -> (SWXDataplane, [Verdict]) {
        let plane = try makeDataplane(text) { $0.staleByte = stale }
        try plane.apply([.insert(route(0x0A00_0002, port: 5))])
        var verdicts: [Verdict] = []
        for i in 0..<40 {
          var frame = TestSpecs.frame()
          if i % 2 == 1 { frame[12] = 0x88 }
          verdicts.append(plane.process(&frame, port: 0, at: .zero))
        }
        return (plane, verdicts)
      }

      @Test func isZero() throws {
        let (_, verdicts) = try answers(0)
        for (i, verdict) in verdicts.enumerated() {
          #expect(verdict == (i % 2 == 0 ? .forward(5) : .drop(.ttlExpired)))
        }
      }

      @Test func isPoison() throws {
        let (_, verdicts) = try answers(0xA5)
        for (i, verdict) in verdicts.enumerated() {
          #expect(verdict == (i % 2 == 0 ? .forward(5) : .drop(.badPort)))
        }
      }

      /// Without it, frames see what older ones left, as in real time: here the
      /// header of the frame before in the same one of the engine's threads.
      @Test func isLeft() throws {
        let (_, verdicts) = try answers(nil)
        let others = verdicts.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(others.contains(.forward(5)))
      }

      /// The memory of a batch may go as soon as the call returns.
      @Test func batchesMayBeFreed() throws {
        let plane = try makeDataplane(text) { $0.virtualTime = false }
        try plane.apply([.insert(route(0x0A00_0002, port: 5))])
        for round in 0..<20 {
          // Large enough that freeing it gives the pages back.
          var batch = FrameBatch(capacity: 1024)
          for _ in 0..<64 {
            var frame = TestSpecs.frame()
            if round % 2 == 1 { frame[12] = 0x88 }
            _ = frame.withUnsafeBytes { batch.append($0, port: 0) }
          }
          plane.process(batch, at: .zero)
          #expect(batch.verdict(0) != .drop(.badPort))
        }
      }

      /// The handler of virtual time passes real faults on.
      @Test func realFaultsStayFatal() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
          setenv("SWIFT_BACKTRACE", "enable=no", 1)
          let plane = try makeDataplane(TestSpecs.router)
          var frame = TestSpecs.frame()
          _ = plane.process(&frame, port: 0, at: .zero)
          if let pointer = UnsafePointer<UInt8>(bitPattern: 64) { print(pointer.pointee) }
        }
      }
    }
  }
#endif
