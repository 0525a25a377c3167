import NIOCore
import Synchronization

/// The connections of a server, to be closed with it.
final class OpenChannels: Sendable {
  private let channels = Mutex<[ObjectIdentifier: any Channel]?>([:])

  func add(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    let isOpen = channels.withLock { channels in
      channels?[id] = channel
      return channels != nil
    }
    // It came while the server was closed.
    guard isOpen else { return channel.close(promise: nil) }
    channel.closeFuture.whenComplete { [self] _ in channels.withLock { $0?[id] = nil } }
  }

  /// - Returns: how many there were.
  func closePresent() -> Int {
    let open = channels.withLock { Array(($0 ?? [:]).values) }
    for channel in open { channel.close(promise: nil) }
    return open.count
  }

  /// Those that come later, too.
  func closeAll() {
    let open = channels.withLock { channels in
      defer { channels = nil }
      return channels ?? [:]
    }
    for channel in open.values { channel.close(promise: nil) }
  }
}
