import CForwarding
import Synchronization

/// Jobs for the forwarding thread, which sleeps in epoll until a frame or a job comes.
final class Mailbox: Sendable {
  struct Job: Sendable {
    /// Runs on the forwarding thread.
    var run: @Sendable (ForwardingLoop) -> Void
    /// Runs instead when the thread has ended, on any thread.
    var cancel: @Sendable () -> Void
  }

  private struct State {
    var jobs: [Job] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let event: FileDescriptor
  /// Readable while there may be jobs.
  var readable: Int32 { event.number }

  init() throws(KernelError) {
    event = FileDescriptor(try KernelError.check(cfw_event_create()))
  }

  /// Jobs run in the order in which they are posted.
  func post(_ job: Job) {
    let isOpen = state.withLock { state in
      if !state.isClosed { state.jobs.append(job) }
      return !state.isClosed
    }
    if isOpen { cfw_event_signal(event.number) } else { job.cancel() }
  }

  /// Takes all jobs away.
  func takeAll() -> [Job] {
    cfw_event_clear(event.number)
    return state.withLock { state in
      let jobs = state.jobs
      state.jobs.removeAll(keepingCapacity: true)
      return jobs
    }
  }

  /// Cancels what is there and whatever comes.
  func close() {
    let jobs = state.withLock { state in
      state.isClosed = true
      let jobs = state.jobs
      state.jobs = []
      return jobs
    }
    for job in jobs { job.cancel() }
  }
}
