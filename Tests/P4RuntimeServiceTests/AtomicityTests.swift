#if DPDK
  import Core
  import P4RuntimeProtos
  import P4RuntimeService
  import P4RuntimeTesting
  import Synchronization
  import Testing

  /// What frames see of a Write (P4Runtime 1.4, section 12.2).
  @Suite(.serialized, .timeLimit(.minutes(15))) struct AtomicityTests {
    private final class End: Sendable {
      let isThere = Atomic(false)
    }

    /// Two entries change places over and over while frames to both go through: each frame finds
    /// both as they were, or both as they are.
    @Test(arguments: [P4_V1_WriteRequest.Atomicity.rollbackOnError, .dataplaneAtomic])
    func entriesThatChangePlaces(_ atomicity: P4_V1_WriteRequest.Atomicity) async throws {
      let border = try Border()
      var options = PipelineController.Options()
      // What is not atomic would be seen in between.
      options.updatesPerTurn = 1
      try await TestServer.run(Engine.dpdk, options: options) { server in
        let session = try await server.start(border.config)
        @Sendable func rows(_ phase: Int) -> [P4_V1_Entity] {
          [
            .table(border.host(1, port: phase == 0 ? 4 : 5)),
            .table(border.host(2, port: phase == 0 ? 5 : 4)),
          ]
        }
        #expect(await server.write(rows(0).map(\.insert)) == .ok)
        let writing = Task {
          for n in 1...300 {
            #expect(await server.write(rows(n % 2).map(\.modify), atomicity) == .ok)
          }
        }
        let end = End()
        let watching = Task {
          var (last, changes) = (0, 0)
          while !end.isThere.load(ordering: .relaxed) {
            for (address, ports) in [(UInt32(1), [4, 5]), (2, [5, 4])] {
              guard
                case .forward(let port) = try await Border.send(server, to: address).verdict,
                let phase = ports.firstIndex(of: Int(port))
              else {
                Issue.record("a frame to \(address) found no entry")
                continue
              }
              if phase != last { changes += 1 }
              last = phase
            }
          }
          return changes
        }
        await writing.value
        end.isThere.store(true, ordering: .relaxed)
        let changes = try await watching.value
        // More than one for each Write, and one of them was seen by half.
        #expect((1...300).contains(changes), "\(changes)")
        withExtendedLifetime(session) {}
      }
    }
  }
#endif
