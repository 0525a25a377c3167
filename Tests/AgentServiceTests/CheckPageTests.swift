import AgentService
import HTTPServing
import Testing

/// What `/check` answers.
@Suite struct CheckPageTests {
  @Test func statusAndReasons() {
    #expect(
      CheckPage.answer(["manager": true, "services": false])
        == HTTPAnswer(
          "application/json",
          """
          {
            "manager": true,
            "services": false
          }

          """, .internalServerError))
    #expect(CheckPage.answer(["manager": true]).status == .ok)
  }
}
