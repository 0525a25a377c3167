import Core
import Foundation
import Kubernetes
import Logging
import StateDirectory
import Synchronization
import Testing

@testable import ServiceSync

/// The manager comes to have what the API server has.
@Suite struct ServiceSyncTests {
  private static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

  /// A manager that may fail.
  actor TestManager: TranslationSink {
    struct Failure: Error {}
    private(set) var services: [ServiceAddress: [Translation.Endpoint]] = [:]
    private(set) var calls = 0
    private var isAway = false
    private var refused: ServiceAddress?

    func setAway(_ isAway: Bool) { self.isAway = isAway }
    func refuse(_ service: ServiceAddress?) { refused = service }
    func forget() { services = [:] }

    func make(_ changes: [TranslationChange]) -> [Int: any Error] {
      var errors: [Int: any Error] = [:]
      for (index, change) in changes.enumerated() {
        calls += 1
        guard !isAway, change.service != refused else {
          errors[index] = Failure()
          continue
        }
        switch change {
        case .put(let translation): services[translation.service] = translation.endpoints
        case .remove(let service): services[service] = nil
        }
      }
      return errors
    }

    func reach(_ wanted: Set<String>) async throws {
      while Set(services.map { "\($0.key) \($0.value.count)" }) != wanted {
        try await Task.sleep(for: .milliseconds(2))
      }
    }
  }

  private func start(
    _ manager: TestManager, _ directory: StateDirectory? = nil
  ) -> (ServiceSync, Task<Void, Never>) {
    let sync = ServiceSync(
      node: "here", sink: manager, memory: ServiceMemory(directory), logger: Self.logger)
    return (sync, Task { await sync.run() })
  }

  private func all(_ services: Service...) -> Reflector<Service>.Change {
    .all(Dictionary(uniqueKeysWithValues: services.map { ($0.objectName, $0) }))
  }

  private func all(_ slices: EndpointSlice...) -> Reflector<EndpointSlice>.Change {
    .all(Dictionary(uniqueKeysWithValues: slices.map { ($0.objectName, $0) }))
  }

  private static let service = TranslationTests.service()
  private static let slice = TranslationTests.slice([TranslationTests.endpoint("10.244.0.7")])

  @Test func nothingIsSaidBeforeBothAreListed() async throws {
    let manager = TestManager()
    let (sync, work) = start(manager)
    defer { work.cancel() }
    await sync.take(all(Self.service))
    try await Task.sleep(for: .milliseconds(50))
    #expect(await manager.calls == 0)
    #expect(await !sync.hasSynced)
    await sync.take(all(Self.slice))
    try await manager.reach(["10.96.0.10:80/TCP 1"])
    while await !sync.hasSynced { try await Task.sleep(for: .milliseconds(2)) }
    // What is so already is not said again.
    let calls = await manager.calls
    await sync.take(all(Self.service))
    await sync.take(.changed(Self.slice))
    try await Task.sleep(for: .milliseconds(50))
    #expect(await manager.calls == calls)
  }

  @Test func aManagerThatWasAway() async throws {
    let manager = TestManager()
    await manager.setAway(true)
    let (sync, work) = start(manager)
    defer { work.cancel() }
    await sync.take(all(Self.service))
    await sync.take(all(Self.slice))
    while await manager.calls < 2 { try await Task.sleep(for: .milliseconds(2)) }
    await manager.setAway(false)
    try await manager.reach(["10.96.0.10:80/TCP 1"])
    // One that has lost all is told all.
    await manager.forget()
    await sync.resync()
    try await manager.reach(["10.96.0.10:80/TCP 1"])
  }

  @Test func whatIsDoneIsCounted() async throws {
    let manager = TestManager()
    let (sync, work) = start(manager)
    defer { work.cancel() }
    #expect(await sync.activity().lastSync == 0)
    await sync.take(all(Self.service))
    await sync.take(all(Self.slice))
    while await !sync.hasSynced { try await Task.sleep(for: .milliseconds(2)) }
    var activity = await sync.activity()
    #expect(activity.serviceChanges == 1 && activity.endpointChanges == 1)
    #expect(activity.servicePorts == 1 && activity.endpoints == 1 && activity.pending == 0)
    #expect(activity.calls[["put", "ok"]] == 1 && activity.calls[["put", "error"]] == 0)
    // What there was at the start says nothing of how fast this is.
    #expect(activity.programmingDuration.counts.reduce(0, +) == 0)
    var slice = Self.slice
    let time = Date().addingTimeInterval(-7).formatted(.iso8601)
    slice.metadata.annotations = .init(lastChangeTriggerTime: time)
    slice.endpoints?.append(.init(addresses: ["10.244.0.99"]))
    await manager.setAway(true)
    await sync.take(.changed(slice))
    while await sync.activity().calls[["put", "error"]] == 0 {
      try await Task.sleep(for: .milliseconds(2))
    }
    await manager.setAway(false)
    while await sync.activity().pending > 0 { try await Task.sleep(for: .milliseconds(2)) }
    while await sync.activity().programmingDuration.sum == 0 {
      try await Task.sleep(for: .milliseconds(2))
    }
    activity = await sync.activity()
    #expect(activity.endpointChanges == 2 && activity.endpoints == 2)
    // Once, and from when it changed, the failed attempts included.
    #expect(activity.programmingDuration.counts.reduce(0, +) == 1)
    #expect(activity.programmingDuration.sum >= 7)
    #expect(activity.lastSync >= activity.lastQueued)
  }

  /// What is not honoured is said once, and counted.
  @Test func sessionAffinity() async throws {
    let warnings = Mutex<[String]>([])
    struct Handler: LogHandler {
      let note: @Sendable (String) -> Void
      var metadata: Logger.Metadata = [:]
      var logLevel = Logger.Level.warning
      subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
      }
      func log(event: LogEvent) { note("\(event.message) \(event.metadata ?? [:])") }
    }
    let logger = Logger(label: "test") { _ in
      Handler { line in warnings.withLock { $0.append(line) } }
    }
    let manager = TestManager()
    let sync = ServiceSync(
      node: "here", sink: manager, memory: ServiceMemory(nil), logger: logger)
    let work = Task { await sync.run() }
    defer { work.cancel() }
    var (sticky, other) = (Self.service, Self.service)
    sticky.spec?.sessionAffinity = "ClientIP"
    other.metadata.name = "other"
    other.spec?.clusterIP = "10.96.0.11"
    other.spec?.sessionAffinity = "None"
    await sync.take(all(sticky, other))
    await sync.take(all(Self.slice))
    try await manager.reach(["10.96.0.10:80/TCP 1", "10.96.0.11:80/TCP 0"])
    #expect(await sync.activity().affine == 1)
    // Changes of it, and of its endpoints, are no news.
    var slice = Self.slice
    slice.endpoints?.append(.init(addresses: ["10.244.0.99"]))
    await sync.take(.changed(sticky))
    await sync.take(.changed(slice))
    try await manager.reach(["10.96.0.10:80/TCP 2", "10.96.0.11:80/TCP 0"])
    let said = warnings.withLock(\.self)
    #expect(
      said.count == 1 && said[0].contains("sessionAffinity") && said[0].contains("default/web"),
      "\(said)")
    await sync.take(.changed(Self.service))
    while await sync.activity().affine > 0 { try await Task.sleep(for: .milliseconds(2)) }
  }

  @Test func timesOfChanges() {
    var slice = Self.slice
    #expect(slice.changed == nil)
    for (text, seconds) in [
      ("2026-11-24T01:50:40Z", 1_795_485_040), ("2026-11-24T01:50:40.5Z", 1_795_485_040.5),
      ("2026-11-24T03:50:40.123456789+02:00", 1_795_485_040.123), ("yesterday", nil), ("", nil),
    ] as [(String, Double?)] {
      slice.metadata.annotations = .init(lastChangeTriggerTime: text)
      let found = slice.changed?.timeIntervalSince1970
      #expect(found.map { ($0 * 1000).rounded(.down) } == seconds.map { $0 * 1000 }, "\(text)")
    }
  }

  /// One Service that is refused does not keep the others.
  @Test func aRefusedService() async throws {
    let manager = TestManager()
    let (sync, work) = start(manager)
    defer { work.cancel() }
    var other = Self.service
    other.metadata.name = "other"
    other.spec?.clusterIP = "10.96.0.11"
    await manager.refuse(ServiceAddress("10.96.0.11:80/TCP"))
    await sync.take(all(Self.service, other))
    await sync.take(all(Self.slice))
    try await manager.reach(["10.96.0.10:80/TCP 1"])
    #expect(await !sync.hasSynced)
    await manager.refuse(nil)
    try await manager.reach(["10.96.0.10:80/TCP 1", "10.96.0.11:80/TCP 0"])
  }

  /// Services that went while the agent was down are removed by the next one.
  @Test func whatWentMeanwhile() async throws {
    let folder = NSTemporaryDirectory() + "services-\(UUID().uuidString)"
    let directory = try StateDirectory(folder, logger: Self.logger)
    let manager = TestManager()
    let (sync, work) = start(manager, directory)
    await sync.take(all(Self.service))
    await sync.take(all(Self.slice))
    try await manager.reach(["10.96.0.10:80/TCP 1"])
    work.cancel()
    await work.value

    let (next, more) = start(manager, directory)
    var other = Self.service
    other.spec?.clusterIP = "10.96.0.12"
    await next.take(all(other))
    await next.take(all(Self.slice))
    try await manager.reach(["10.96.0.12:80/TCP 1"])
    more.cancel()
    await more.value
    #expect(
      ServiceMemory(directory).services == [try #require(ServiceAddress("10.96.0.12:80/TCP"))])

    // A damaged memory is put aside.
    try "nonsense\n".write(toFile: folder + "/services", atomically: true, encoding: .utf8)
    #expect(ServiceMemory(directory).services.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder + "/services"))
  }
}
