import Foundation
import GNMIProtos
import GNMIService
import GRPCCore
import Hosting
import Testing

/// What Subscribe tells.
@Suite struct SubscribeTests {
  /// A Subscribe call of a test.
  final class Stream: Sendable {
    typealias Messages = AsyncThrowingStream<Gnmi_SubscribeResponse, any Error>
    let feed: AsyncStream<Gnmi_SubscribeRequest>.Continuation

    init(_ feed: AsyncStream<Gnmi_SubscribeRequest>.Continuation) { self.feed = feed }

    func send(_ change: (inout Gnmi_SubscribeRequest) -> Void) { feed.yield(.with(change)) }
  }

  /// What came until a sync_response, and the rest.
  struct Reader {
    var messages: RPCAsyncSequence<Gnmi_SubscribeResponse, any Error>.AsyncIterator

    mutating func next() async throws -> Gnmi_SubscribeResponse? { try await messages.next() }

    /// The values by path until the next sync_response.
    mutating func untilSync() async throws -> [String: Gnmi_TypedValue] {
      var values: [String: Gnmi_TypedValue] = [:]
      while let message = try await next() {
        if message.syncResponse { return values }
        #expect(message.update.update.count == 1, "one leaf a message")
        for update in message.update.update { values[update.path.text] = update.val }
      }
      Issue.record("no sync_response")
      return values
    }

    /// Reads until a leaf has a value.
    mutating func wait(for path: String, _ value: Gnmi_TypedValue) async throws {
      while let message = try await next() {
        if message.update.update.contains(where: { $0.path.text == path && $0.val == value }) {
          return
        }
      }
      Issue.record("never: \(path) \(value)")
    }
  }

  /// Runs `body` within a Subscribe call.
  ///
  /// - Returns: the code that the call ended with; nil is OK.
  @discardableResult
  private func subscribe(
    _ target: Target, _ body: @Sendable @escaping (Stream, inout Reader) async throws -> Void
  ) async -> RPCError.Code? {
    let (requests, feed) = AsyncStream<Gnmi_SubscribeRequest>.makeStream()
    let request = StreamingClientRequest<Gnmi_SubscribeRequest> { writer in
      for await message in requests { try await writer.write(message) }
    }
    return await target.code {
      try await target.client.subscribe(request: request) { response in
        var reader = Reader(messages: response.messages.makeAsyncIterator())
        // Leaving without an end of the stream would leave the request waiting.
        defer { feed.finish() }
        try await body(Stream(feed), &reader)
      }
    }
  }

  private func list(
    _ mode: Gnmi_SubscriptionList.Mode, _ subscriptions: Gnmi_Subscription...
  ) -> Gnmi_SubscriptionList {
    .with {
      $0.mode = mode
      $0.subscription = subscriptions
      $0.encoding = .proto
    }
  }

  private func to(
    _ path: String, _ mode: Gnmi_SubscriptionMode = .targetDefined,
    _ change: (inout Gnmi_Subscription) -> Void = { _ in }
  ) -> Gnmi_Subscription {
    .with {
      $0.path = Gnmi_Path(path)
      $0.mode = mode
      change(&$0)
    }
  }

  /// A call that says one thing and then waits for the end.
  private func code(
    _ target: Target, _ messages: Gnmi_SubscribeRequest..., closing: Bool = false
  ) async -> RPCError.Code? {
    await subscribe(target) { stream, reader in
      for message in messages { stream.feed.yield(message) }
      if closing { stream.feed.finish() }
      while try await reader.next() != nil {}
    }
  }

  private func code(
    _ target: Target, _ list: Gnmi_SubscriptionList
  ) async -> RPCError.Code? {
    await code(target, .with { $0.subscribe = list })
  }

  @Test func once() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      let list = list(.once, to("/interfaces"))
      let outcome = await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        let values = try await reader.untilSync()
        #expect(values == (try await target.leaves("/")))
        #expect(try await reader.next() == nil)
      }
      #expect(outcome == nil)
    }
  }

  @Test func onceInJSON() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      var list = list(.once, to(target.path("a", "port-type")))
      list.encoding = .json
      list.prefix.target = "node"
      let request = list
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = request }
        let message = try #require(try await reader.next())
        #expect(message.update.update.first?.val.jsonVal == Data("\"TAP\"".utf8))
        #expect(message.update.prefix.target == "node")
        #expect(try await reader.next()?.syncResponse == true)
      }
    }
  }

  @Test func poll() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      let path = target.path("a", "counters/in-octets")
      let list = list(.poll, to(path))
      let outcome = await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        let first = try await reader.untilSync()
        #expect(first == [path: .uint(0)])
        for octets in 1...3 {
          await target.registry.count("a") { $0.bytesIn = UInt64(octets) }
          stream.send { $0.poll = .init() }
          #expect(try await reader.untilSync() == [path: .uint(UInt64(octets))])
        }
        stream.feed.finish()
        #expect(try await reader.next() == nil)
      }
      #expect(outcome == nil)
    }
  }

  @Test func updatesOnly() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      let path = target.path("a", "host-name")
      for mode in [Gnmi_SubscriptionList.Mode.once, .poll, .stream] {
        var list = list(mode, to("/interfaces/virtual-interface[name=a]/config", .onChange))
        list.updatesOnly = true
        let request = list
        await subscribe(target) { stream, reader in
          stream.send { $0.subscribe = request }
          #expect(try await reader.untilSync().isEmpty)
          guard mode == .stream else { return stream.feed.finish() }
          try await target.set("a", ("host-name", "x"))
          let message = try #require(try await reader.next())
          #expect(message.update.update.map(\.path.text) == [path])
          stream.feed.finish()
          throw CancellationError()
        }
      }
    }
  }

  @Test func onChange() async throws {
    try await Target.run { target in
      try await target.set("a", ("port-type", "TAP"))
      let list = list(.stream, to("/interfaces/virtual-interface[name=*]/config/mtu", .onChange))
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        #expect(try await reader.untilSync() == [target.path("a", "mtu"): .uint(1500)])
        // It need not exist yet.
        try await target.set("b", ("mtu", .int(1400)))
        try await reader.wait(for: target.path("b", "mtu"), .uint(1400))
        // Nothing else is told: the next message is about the next change.
        try await target.set("a", ("host-name", "x"))
        try await target.set("b", ("mtu", .int(1300)))
        let message = try #require(try await reader.next())
        #expect(message.update.update.map(\.val) == [.uint(1300)])
        try await target.set(delete: ["/interfaces/virtual-interface[name=b]"])
        let deletion = try #require(try await reader.next())
        #expect(deletion.update.delete.map(\.text) == [target.path("b", "mtu")])
        throw CancellationError()
      }
    }
  }

  /// A Set is seen as a whole: never a part of it, and nothing of one that is refused.
  @Test func refusedSetIsNotSeen() async throws {
    try await Target.run { target in
      let list = list(.stream, to("/interfaces/virtual-interface[name=*]/config/mtu", .onChange))
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        _ = try await reader.untilSync()
        await target.registry.refuse("b", .unavailable)
        _ = await target.code {
          try await target.set(update: [
            (target.path("a", "port-type"), "TAP"), (target.path("b", "port-type"), "TAP"),
          ])
        }
        try await target.set("c", ("mtu", .int(1400)))
        let message = try #require(try await reader.next())
        #expect(message.update.update.map(\.path.text) == [target.path("c", "mtu")])
        throw CancellationError()
      }
    }
  }

  @Test func statusIsLookedAt() async throws {
    var limits = Target.limits
    limits.statusPoll = .milliseconds(5)
    try await Target.run(limits) { target in
      try await target.set("a", ("port-type", "TAP"))
      let path = "/interfaces/virtual-interface[name=a]/state/counters/in-pkts"
      let list = list(.stream, to(path, .onChange))
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        #expect(try await reader.untilSync() == [path: .uint(0)])
        await target.registry.count("a") { $0.framesIn = 9 }
        let message = try #require(try await reader.next())
        #expect(message.update.update.map(\.val) == [.uint(9)])
        throw CancellationError()
      }
    }
  }

  private var quick: GNMIService.Limits {
    var limits = Target.limits
    limits.shortestSample = .milliseconds(3)
    limits.counterSample = .milliseconds(20)
    return limits
  }

  @Test func sample() async throws {
    try await Target.run(quick) { target in
      try await target.set("a", ("port-type", "TAP"))
      let path = "/interfaces/virtual-interface[name=a]/state/counters/in-pkts"
      for interval in [UInt64(0), 3_000_000] {
        let list = list(.stream, to(path, .sample) { $0.sampleInterval = interval })
        await subscribe(target) { stream, reader in
          stream.send { $0.subscribe = list }
          #expect(try await reader.untilSync().keys.sorted() == [path])
          // Sent again whether it changed or not.
          for _ in 0..<5 {
            #expect(try await reader.next()?.update.update.map(\.path.text) == [path])
          }
          throw CancellationError()
        }
      }
    }
  }

  @Test func sampleWithoutRepetition() async throws {
    try await Target.run(quick) { target in
      try await target.set("a", ("port-type", "TAP"))
      let base = "/interfaces/virtual-interface[name=a]/state/counters"
      let list = list(.stream, to(base, .sample) { $0.suppressRedundant = true })
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        #expect(try await reader.untilSync().count == 8)
        for number in UInt64(1)...3 {
          await target.registry.count("a") { $0.errorsIn = number }
          let message = try #require(try await reader.next())
          #expect(message.update.update.map(\.path.text) == ["\(base)/in-errors"])
        }
        throw CancellationError()
      }
    }
  }

  @Test(arguments: [Gnmi_SubscriptionMode.onChange, .sample])
  func heartbeat(_ mode: Gnmi_SubscriptionMode) async throws {
    try await Target.run(quick) { target in
      try await target.set("a", ("port-type", "TAP"))
      let path = target.path("a", "mtu")
      let list = list(
        .stream,
        to(path, mode) {
          $0.heartbeatInterval = 4_000_000
          $0.suppressRedundant = true
        })
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        _ = try await reader.untilSync()
        for _ in 0..<4 {
          #expect(try await reader.next()?.update.update.map(\.val) == [.uint(1500)])
        }
        throw CancellationError()
      }
    }
  }

  @Test func targetDefined() async throws {
    try await Target.run(quick) { target in
      try await target.set("a", ("port-type", "TAP"))
      let list = list(.stream, to("/interfaces/virtual-interface[name=a]"))
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        #expect(try await reader.untilSync() == (try await target.leaves("/")))
        // Counters keep coming; the rest only when it changes.
        for _ in 0..<40 {
          let message = try #require(try await reader.next())
          #expect(message.update.update.allSatisfy { $0.path.text.contains("counters") })
        }
        try await target.set("a", ("host-name", "x"))
        try await reader.wait(for: target.path("a", "host-name"), "x")
        throw CancellationError()
      }
    }
  }

  @Test func theClientMayBeSilentAfterSubscribing() async throws {
    try await Target.run { target in
      let list = list(.stream, to("/interfaces", .onChange))
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        stream.feed.finish()
        #expect(try await reader.untilSync().isEmpty)
        try await target.set("a", ("mtu", .int(1400)))
        try await reader.wait(for: target.path("a", "mtu"), .uint(1400))
        throw CancellationError()
      }
    }
  }

  @Test func refusals() async throws {
    try await Target.run { target in
      let good = list(.stream, to("/interfaces"))
      #expect(await code(target, .init()) == .invalidArgument)
      #expect(await code(target, .with { $0.poll = .init() }) == .invalidArgument)
      #expect(await code(target, .with { $0.aliases = .init() }) == .unimplemented)
      #expect(await code(target, list(.stream)) == .invalidArgument)
      #expect(
        await code(target, .with { $0.subscribe = good }, .with { $0.subscribe = good })
          == .invalidArgument)
      #expect(
        await code(target, .with { $0.subscribe = good }, .with { $0.poll = .init() })
          == .invalidArgument)
      #expect(await code(target, list(.UNRECOGNIZED(9), to("/interfaces"))) == .invalidArgument)
      #expect(
        await code(target, list(.stream, to("/interfaces", .UNRECOGNIZED(9)))) == .invalidArgument)
      #expect(await code(target, list(.once, to("/system"))) == .invalidArgument)
      var ascii = good
      ascii.encoding = .ascii
      #expect(await code(target, ascii) == .unimplemented)
      var marked = good
      marked.qos.marking = 10
      #expect(await code(target, marked) == .unimplemented)
      var models = good
      models.useModels = [.with { $0.name = "other" }]
      #expect(await code(target, models) == .invalidArgument)
      // Upstream's tool means milliseconds.
      for interval in [UInt64(5000), 99_999_999, 86_400_000_000_001, .max] {
        #expect(
          await code(target, list(.stream, to("/", .sample) { $0.sampleInterval = interval }))
            == .invalidArgument)
        #expect(
          await code(target, list(.stream, to("/", .onChange) { $0.heartbeatInterval = interval }))
            == .invalidArgument)
      }
      // The stream is closed before anything was asked for.
      #expect(await code(target, closing: true) == .invalidArgument)
    }
  }

  @Test func patienceEnds() async throws {
    var limits = Target.limits
    limits.patience = .milliseconds(20)
    limits.streams = 1
    try await Target.run(limits) { target in
      #expect(await code(target) == .deadlineExceeded)
      // A call that has its subscription is not ended, and the place is free again.
      let list = list(.stream, to("/interfaces", .onChange))
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = list }
        _ = try await reader.untilSync()
        try await Task.sleep(for: .milliseconds(60))
        try await target.set("a", ("mtu", .int(1400)))
        try await reader.wait(for: target.path("a", "mtu"), .uint(1400))
        throw CancellationError()
      }
    }
  }

  @Test func callsAndSubscriptionsAreBounded() async throws {
    var limits = Target.limits
    limits.streams = 2
    limits.subscriptions = 3
    try await Target.run(limits) { target in
      let one = list(.stream, to("/interfaces", .onChange))
      let three = list(
        .stream, to("/interfaces"), to("/interfaces"), to("/interfaces"))
      await subscribe(target) { stream, reader in
        stream.send { $0.subscribe = one }
        _ = try await reader.untilSync()
        #expect(await code(target, three) == .resourceExhausted)
        await subscribe(target) { stream, reader in
          stream.send { $0.subscribe = one }
          _ = try await reader.untilSync()
          #expect(await code(target, one) == .resourceExhausted)
          // Get and Set go on.
          #expect(try await target.get("/").count == 1)
          throw CancellationError()
        }
        throw CancellationError()
      }
      // What was cancelled gives its place back.
      while await subscribe(
        target,
        { stream, reader in
          stream.send { $0.subscribe = three }
          stream.feed.finish()
          _ = try await reader.untilSync()
          throw CancellationError()
        }) == .resourceExhausted
      { await Task.yield() }
    }
  }

  @Test func manySubscribersAndChanges() async throws {
    try await Target.run { target in
      let list = list(.stream, to("/interfaces/virtual-interface[name=*]/config/mtu", .onChange))
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<10 {
          group.addTask {
            await subscribe(target) { stream, reader in
              stream.send { $0.subscribe = list }
              while let message = try await reader.next() {
                if message.update.update.contains(where: { $0.val == .uint(9000) }) { break }
              }
              throw CancellationError()
            }
          }
        }
        for mtu in 1000..<1100 {
          _ = await target.code { try await target.set("a", ("mtu", .int(Int64(mtu)))) }
        }
        _ = await target.code { try await target.set("a", ("mtu", .int(9000))) }
      }
    }
  }
}
