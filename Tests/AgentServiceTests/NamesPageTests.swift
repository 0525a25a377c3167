import AgentService
import HTTPServing
import Testing

/// Who is told names.
@Suite struct NamesPageTests {
  private static let page = NamesPage(
    pods: ["10.244.0.6": "default/web-1"], services: ["10.96.0.10:80/TCP": "default/web"])

  @Test func readersOnTheNode() {
    let answer = Self.page.answer(HTTPRequest(isLocal: true))
    #expect(answer.status == .ok && answer.readers == nil)
    #expect(
      answer.body == """
        {"pods":{"10.244.0.6":"default/web-1"},"services":{"10.96.0.10:80/TCP":"default/web"}}
        """)
    let origin = "http://127.0.0.1:9560"
    #expect(Self.page.answer(HTTPRequest(origin: origin, isLocal: true)).readers == origin)
  }

  @Test func nobodyElse() {
    let foreign = HTTPRequest(origin: "http://evil.example", isLocal: true)
    #expect(Self.page.answer(foreign).readers == nil)
    let far = Self.page.answer(HTTPRequest(origin: "http://127.0.0.1:9560", isLocal: false))
    #expect(far.status == .forbidden && far.readers == nil && !far.body.contains("web"))
  }
}
