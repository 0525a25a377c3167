import Foundation
import Logging
import StateDirectory
import Testing

/// A list on disk is what it was made to be, by whatever changes.
@Suite struct ListLogTests {
  private struct Thing: Codable, Equatable {
    var name: String
    var value: Int
  }

  private let directory: StateDirectory
  private let file = "things.log"

  init() throws {
    directory = try StateDirectory(
      NSTemporaryDirectory() + "list-log-\(UUID().uuidString)",
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func log() -> ListLog<Thing> { ListLog(directory, file) { $0.name } }
  private func size() throws -> Int { try Data(contentsOf: url).count }
  private var url: URL { URL(fileURLWithPath: directory.path + "/" + file) }

  @Test func changesAreKept() throws {
    var random = SystemRandomNumberGenerator()
    var log = self.log()
    var list: [Thing] = []
    for round in 0..<200 {
      switch Int.random(in: 0..<3, using: &random) {
      case 0: list.append(Thing(name: "t\(round)", value: 0))
      case 1 where !list.isEmpty: list[Int.random(in: 0..<list.count)].value = round
      default: if !list.isEmpty { list.remove(at: Int.random(in: 0..<list.count)) }
      }
      try log.keep(list)
      #expect(try self.log().read() == list)
      guard round % 50 == 49 else { continue }
      // The next process.
      log = self.log()
      try log.keep(try log.read())
    }
  }

  @Test func whatIsTheSameIsNotWritten() throws {
    let log = log()
    let list = (0..<100).map { Thing(name: "t\($0)", value: $0) }
    try log.keep(list)
    let whole = try size()
    try log.keep(list)
    #expect(try size() == whole)
    try log.keep(list + [Thing(name: "one more", value: 1)])
    #expect(try size() - whole < 100)
  }

  /// Of two changes the second was being written when the machine ended.
  @Test func aChangeThatIsCutShort() throws {
    let log = log()
    try log.keep([Thing(name: "a", value: 1)])
    try log.keep([Thing(name: "a", value: 2)])
    let before = try size()
    try log.keep([Thing(name: "a", value: 2), Thing(name: "b", value: 1)])
    try Data(contentsOf: url).prefix((before + size()) / 2).write(to: url)
    #expect(try self.log().read() == [Thing(name: "a", value: 2)])
  }

  /// What was not written is written with what comes next.
  @Test func aDiskThatTakesNothing() throws {
    let log = log()
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    #expect(throws: (any Error).self) { try log.keep([Thing(name: "a", value: 2)]) }
    try FileManager.default.removeItem(at: url)
    let list = [Thing(name: "a", value: 2), Thing(name: "b", value: 1)]
    try log.keep(list)
    #expect(try self.log().read() == list)
  }

  @Test func whatIsNoList() throws {
    try RecordLog(directory, file).replace(with: [.init(kind: 1, payload: Data("{}".utf8))])
    #expect(throws: DecodingError.self) { try log().read() }
    try RecordLog(directory, file).replace(with: [.init(kind: 9, payload: Data("[]".utf8))])
    #expect(throws: DecodingError.self) { try log().read() }
  }
}
