import Core
import Testing

@testable import SimDataplane

/// `drops_0`, in which the pipeline counts its drops by reason.
@Suite struct RegisterTests {
  private let name = K8sDP.dropsRegister
  private let noService = Int(DropReason.noService.rawValue)

  /// Sends to a port that the Service has not.
  private func drop(_ node: Node) {
    #expect(node.udp(.client(), .service).verdict == .drop(.noService))
  }

  private func node() throws -> Node {
    let node = try Node(pods: [7])
    try node.serve(by: [7: 1])
    return node
  }

  @Test func countsDrops() throws {
    let node = try node()
    let before = try node.plane.registers(name)
    #expect(before == [UInt64](repeating: 0, count: K8sDP.dropsRegisterSize))
    drop(node)
    drop(node)
    var after = before
    after[noService] = 2
    #expect(try node.plane.registers(name) == after)
  }

  @Test func goesOnFromWhatIsWritten() throws {
    let node = try node()
    drop(node)
    try node.plane.setRegister(name, noService, to: 100)
    #expect(try node.plane.registers(name)[noService] == 100)
    drop(node)
    #expect(try node.plane.registers(name)[noService] == 101)
    try node.plane.setRegister(name, 0, to: 5)
    #expect(try node.plane.registers(name)[0] == 5)
    #expect(node.plane.counters().dropped == [.noService: 2])
  }

  @Test func othersAreNotThere() throws {
    let plane = try node().plane
    for (name, index) in [("nothing", 0), (name, K8sDP.dropsRegisterSize), (name, -1)] {
      let error = #expect(throws: DataplaneError.self) {
        try plane.setRegister(name, index, to: 1)
      }
      #expect(error?.code == .notFound)
    }
    let error = #expect(throws: DataplaneError.self) { try plane.registers("nothing") }
    #expect(error?.code == .notFound)
  }
}
