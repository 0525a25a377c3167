import NIOCore
import Testing

@testable import Kubernetes

@Suite struct WatchLinesTests {
  @Test(arguments: [1, 2, 3, 7, 100])
  func piecesOfAnySize(_ size: Int) throws {
    let text = "{\"a\":1}\n\n{\"b\":2}\n{\"c\":3}\nrest"
    var lines = WatchLines()
    var found: [String] = []
    var rest = text[...]
    while !rest.isEmpty {
      found += try lines.take(ByteBuffer(string: String(rest.prefix(size)))).map {
        String(buffer: $0)
      }
      rest = rest.dropFirst(size)
    }
    #expect(found == ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"])
  }

  @Test func aLineWithoutEnd() throws {
    var lines = WatchLines()
    let part = ByteBuffer(repeating: 0x20, count: 1 << 20)
    #expect(throws: KubernetesError.self) {
      for _ in 0...16 { _ = try lines.take(part) }
    }
  }

  @Test(arguments: [
    "x", "{}", "{\"type\":\"NEW\",\"object\":{}}", "{\"type\":\"ADDED\",\"object\":{}}",
    "{\"type\":\"ADDED\"}", "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{}}}",
  ])
  func eventsThatAreNone(_ text: String) {
    let error = #expect(throws: KubernetesError.self) {
      _ = try WatchEvent<Service>(line: ByteBuffer(string: text))
    }
    #expect(error?.code == .protocolError)
  }

  @Test func errorsThatTheServerTellsOf() {
    for (code, wanted) in [
      (410, KubernetesError.Code.expired), (403, .refused), (500, .unreachable),
    ] {
      let error = #expect(throws: KubernetesError.self) {
        _ = try WatchEvent<Service>(
          line: ByteBuffer(string: "{\"type\":\"ERROR\",\"object\":{\"code\":\(code)}}"))
      }
      #expect(error?.code == wanted)
    }
  }
}
