import GNMIProtos
import GRPCCore
import Synchronization

/// One Subscribe call from its beginning to its end.
final class SubscribeCall: Sendable {
  typealias Writer = RPCWriter<Gnmi_SubscribeResponse>

  private enum Ending: Sendable {
    case closed
    case failed(GNMIError)
  }

  private let interfaces: Interfaces
  private let limits: GNMIService.Limits
  private let subscribers: Subscribers
  private let cancellation: ServerContext.RPCCancellationHandle
  /// Subscriptions of this call, once there are any.
  private let subscribed = Mutex(0)

  init(_ service: GNMIService, _ cancellation: ServerContext.RPCCancellationHandle) {
    interfaces = service.interfaces
    limits = service.limits
    subscribers = service.subscribers
    self.cancellation = cancellation
  }

  /// Returns when the call has ended well.
  func run(
    _ request: StreamingServerRequest<Gnmi_SubscribeRequest>, _ writer: Writer
  ) async throws {
    do { try subscribers.enter() } catch { throw RPCError(error) }
    defer { subscribers.leave(subscribed.withLock { $0 }) }
    let (lists, feed) = AsyncStream<Gnmi_SubscriptionList>.makeStream()
    let ending = await withTaskGroup(of: Ending?.self) { group in
      group.addTask { await self.read(request, writer, feed) }
      group.addTask {
        for await list in lists { return await self.stream(list, writer) }
        return nil
      }
      group.addTask {
        // Throws when the task is cancelled, which is as good.
        try? await self.cancellation.cancelled
        return .closed
      }
      group.addTask { await self.patience() }
      defer { group.cancelAll() }
      for await case let ending? in group { return ending }
      return Ending.closed
    }
    if case .failed(let error) = ending { throw RPCError(error) }
  }

  /// A call that does not say what it wants shall not take the place of another.
  private func patience() async -> Ending? {
    do { try await Task.sleep(for: limits.patience) } catch { return nil }
    guard subscribed.withLock({ $0 }) == 0 else { return nil }
    return .failed(
      GNMIError(.deadlineExceeded, "no subscription came within \(limits.patience)"))
  }

  /// Takes what the client says.
  ///
  /// - Returns: nil when it has said all, and the call goes on.
  private func read(
    _ request: StreamingServerRequest<Gnmi_SubscribeRequest>, _ writer: Writer,
    _ feed: AsyncStream<Gnmi_SubscriptionList>.Continuation
  ) async -> Ending? {
    var list: Gnmi_SubscriptionList?
    do {
      for try await message in request.messages {
        try GNMIService.check(message.extension)
        switch message.request {
        case .subscribe(let new)?:
          guard list == nil else {
            throw GNMIError(
              .invalidArgument, "the call has its subscription; make another call for more")
          }
          try begin(new)
          list = new
          if new.mode == .stream {
            feed.yield(new)
          } else {
            try await tell(new, writer, isFirst: true)
          }
          if new.mode == .once { return .closed }
        case .poll?:
          guard let list, list.mode == .poll else {
            throw GNMIError(.invalidArgument, "there is no subscription to poll")
          }
          try await tell(list, writer, isFirst: false)
        case .aliases?: throw GNMIError(.unimplemented, "aliases are not supported")
        case nil: throw GNMIError(.invalidArgument, "the message has no subscription")
        }
      }
    } catch let error as GNMIError {
      return .failed(error)
    } catch {
      // The client is gone.
      return .closed
    }
    switch list?.mode {
    case nil:
      return .failed(
        GNMIError(.invalidArgument, "the call was closed before it had a subscription"))
    // What was asked for comes until the client ends the call.
    case .stream?: return nil
    default: return .closed
    }
  }

  /// Checks a subscription and counts it.
  private func begin(_ list: Gnmi_SubscriptionList) throws(GNMIError) {
    guard [.once, .poll, .stream].contains(list.mode) else {
      throw GNMIError(.invalidArgument, "mode \(list.mode) is not STREAM, ONCE or POLL")
    }
    _ = try TreeEncoding(list.encoding)
    try subscribers.subscribe(list.subscription.count)
    subscribed.withLock { $0 = list.subscription.count }
    _ = try Watch.parse(list, limits)
  }

  /// Sends all there is, for ONCE and POLL.
  private func tell(
    _ list: Gnmi_SubscriptionList, _ writer: Writer, isFirst: Bool
  ) async throws {
    var watches = try Watch.parse(list, limits)
    if !isFirst || !list.updatesOnly {
      let needsStatus = watches.contains(where: \.needsStatus)
      let snapshot = await interfaces.snapshot(needsStatus ? .current : .none)
      let sender = try Sender(list, snapshot.timestamp)
      for index in watches.indices {
        try await sender.send(watches[index].news(snapshot, at: .now), to: writer)
      }
    }
    try await writer.write(.with { $0.syncResponse = true })
  }

  /// Sends what happens, for STREAM.
  private func stream(_ list: Gnmi_SubscriptionList, _ writer: Writer) async -> Ending {
    let (wakeups, waker) = await interfaces.wakeups()
    defer { waker.finish() }
    do {
      var watches = try Watch.parse(list, limits)
      var isFirst = true
      waker.yield()
      var timer: Task<Void, Never>?
      defer { timer?.cancel() }
      for await _ in wakeups {
        timer?.cancel()
        let now = ContinuousClock.now
        let generation = await interfaces.generation
        let due = watches.indices.filter { watches[$0].isDue(at: now, generation: generation) }
        if !due.isEmpty {
          let needsStatus = due.contains { watches[$0].needsStatus }
          let snapshot = await interfaces.snapshot(needsStatus ? .recent : .none)
          let sender = try Sender(list, snapshot.timestamp)
          for index in due {
            let news = watches[index].news(snapshot, at: now)
            if !isFirst || !list.updatesOnly { try await sender.send(news, to: writer) }
          }
        }
        if isFirst { try await writer.write(.with { $0.syncResponse = true }) }
        isFirst = false
        guard let deadline = watches.compactMap(\.deadline).min() else { continue }
        timer = Task {
          try? await Task.sleep(until: deadline, clock: .continuous)
          if !Task.isCancelled { waker.yield() }
        }
      }
      return .closed
    } catch let error as GNMIError {
      return .failed(error)
    } catch {
      // The client is gone.
      return .closed
    }
  }

  /// Writes news: every leaf in a message of its own, as the specification wants it.
  private struct Sender {
    private let encoding: TreeEncoding
    private let prefix: Gnmi_Path?
    private let timestamp: Int64

    init(_ list: Gnmi_SubscriptionList, _ timestamp: Int64) throws(GNMIError) {
      encoding = try TreeEncoding(list.encoding)
      prefix = list.prefix.target.isEmpty ? nil : .with { $0.target = list.prefix.target }
      self.timestamp = timestamp
    }

    func send(_ news: Watch.News, to writer: Writer) async throws {
      for (path, value) in news.updates {
        var notification = empty
        notification.update = [
          try .with {
            $0.path = Gnmi_Path(path)
            $0.val = try encoding.value(value)
          }
        ]
        try await writer.write(.with { $0.update = notification })
      }
      guard !news.deletes.isEmpty else { return }
      var notification = empty
      notification.delete = news.deletes.map { Gnmi_Path($0) }
      try await writer.write(.with { $0.update = notification })
    }

    private var empty: Gnmi_Notification {
      .with {
        $0.timestamp = timestamp
        if let prefix { $0.prefix = prefix }
      }
    }
  }
}
