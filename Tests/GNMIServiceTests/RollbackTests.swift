import Core
import GNMIProtos
import GNMIService
import GRPCCore
import Hosting
import Testing

/// A Set that is refused has changed nothing.
@Suite struct RollbackTests {
  private func create(_ names: String...) -> [(String, Gnmi_TypedValue)] {
    names.map { ("/interfaces/virtual-interface[name=\($0)]/config/port-type", "TAP") }
  }

  @Test func aBadOperationAmongGoodOnes() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      let code = await target.code {
        try await target.set(
          delete: ["/interfaces/virtual-interface[name=a]"],
          update: create("b", "c") + [(target.path("d", "mtu"), "much")])
      }
      #expect(code == .invalidArgument)
      #expect(await target.registry.calls == ["add a 1500"])
    }
  }

  @Test(arguments: [
    (DataplaneError.Code.notFound, RPCError.Code.notFound),
    (.alreadyExists, .alreadyExists), (.invalidArgument, .invalidArgument),
    (.resourceExhausted, .resourceExhausted), (.unavailable, .unavailable),
  ])
  func aPortThatCannotBeMade(_ reason: DataplaneError.Code, _ code: RPCError.Code) async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      await target.registry.refuse("d", reason)
      let outcome = await target.code {
        try await target.set(
          delete: ["/interfaces/virtual-interface[name=a]"], update: create("b", "c", "d", "e"))
      }
      #expect(outcome == code)
      #expect(await target.registry.ids == ["a": 0])
      // The one that stays was never touched: a pod may have it.
      #expect(await !target.registry.calls.contains("remove a"))
      #expect(await target.journal.saved.map(\.name) == ["a"])
      let names = try await target.leaves("/interfaces/virtual-interface[name=*]/name")
      #expect(names.values.map(\.stringVal) == ["a"])
      await target.registry.refuse("d", nil)
      try await target.set(
        delete: ["/interfaces/virtual-interface[name=a]"], update: create("b", "c", "d", "e"))
      #expect(await target.registry.ids.keys.sorted() == ["b", "c", "d", "e"])
    }
  }

  @Test func aPortThatCannotComeBackAsAnother() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      try await target.set("b", ("port-type", "TAP"))
      await target.registry.refuse("c", .unavailable)
      // "c" is refused after "a" was made anew.
      try await target.set("c", ("mtu", .int(1400)))
      let registry = target.registry
      await registry.refuse("a", nil)
      let outcome = await target.code {
        try await target.set(
          delete: ["/interfaces/virtual-interface[name=a]"],
          update: [(target.path("a", "mtu"), .int(1400))] + create("a", "c"))
      }
      #expect(outcome == .unavailable)
      #expect(await registry.ids == ["a": 0, "b": 1])
      #expect(await registry.descriptions.first { $0.name == "a" }?.mtu == 1500)
    }
  }

  /// When not even the old port can be made again, the node says so.
  @Test func aPortThatIsLost() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      await target.registry.refuse("a", .unavailable)
      let outcome = await target.code {
        try await target.set(
          delete: ["/interfaces/virtual-interface[name=a]"],
          update: [(target.path("a", "mtu"), .int(1400))] + create("a"))
      }
      #expect(outcome == .unavailable)
      #expect(
        await target.code { _ = try await target.get(target.path("a", "mtu")) } == .notFound)
      #expect(await target.journal.saved.isEmpty)
    }
  }

  @Test func manyAtOnceEndInOneOrder() async throws {
    try await Target.run { target in
      await withTaskGroup(of: Void.self) { group in
        for number in 0..<20 {
          group.addTask {
            _ = await target.code {
              try await target.set("p\(number)", ("port-type", "TAP"))
              try await target.set(delete: ["/interfaces/virtual-interface[name=p\(number)]"])
              try await target.set("p\(number)", ("port-type", "TAP"))
            }
          }
        }
      }
      #expect(await target.registry.ids.values.sorted() == Array(0..<20))
    }
  }

  @Test func interfacesAreBounded() async throws {
    try await Target.run(maximumInterfaces: 2) { target in
      try await target.set("a", ("mtu", .int(1400)))
      try await target.set("b", ("mtu", .int(1400)))
      #expect(
        await target.code { try await target.set("c", ("mtu", .int(1400))) } == .resourceExhausted)
      try await target.set(
        delete: ["/interfaces/virtual-interface[name=a]"],
        update: [(target.path("c", "mtu"), .int(1400))])
    }
  }

  @Test func operationsAreBounded() async throws {
    var limits = Target.limits
    limits.operations = 3
    try await Target.run(limits) { target in
      #expect(
        await target.code { try await target.set(update: create("a", "b", "c", "d")) }
          == .resourceExhausted)
      #expect(await target.registry.calls.isEmpty)
    }
  }

  @Test func restoredConfiguration() async throws {
    let registry = FakeRegistry()
    _ = try await registry.add(PortDescription(name: "a", kind: .tap, mtu: 1400, id: 5))
    _ = try await registry.add(PortDescription(name: "b", kind: .packet, id: 1))
    var a = InterfaceConfig(name: "a")
    a.kind = .tap
    a.hostName = "host"
    var lost = InterfaceConfig(name: "lost")
    lost.kind = .tap
    var pending = InterfaceConfig(name: "pending")
    pending.mtu = 1300
    try await Target.run(registry: registry, saved: [a, lost, pending]) { target in
      let names = try await target.leaves("/interfaces/virtual-interface[name=*]/name")
      #expect(Set(names.values.map(\.stringVal)) == ["a", "b", "pending"])
      let config = try await target.leaves("/interfaces/virtual-interface[name=a]/config")
      #expect(config[target.path("a", "host-name")] == "host")
      #expect(config[target.path("a", "mtu")] == .uint(1400))
      #expect(config[target.path("a", "tdi-portin-id")] == .uint(5))
    }
  }
}
