import Metrics
import Testing

/// Prometheus's text format 0.0.4, to the byte.
@Suite struct ExpositionTests {
  @Test func labelsAreEscaped() {
    var page = Exposition()
    page.add(
      Metric(
        .counter, "frames_total", labels: ["port", "reason"], "A \\ and\na line feed, \"so\"."),
      [(["a\"b\\c\nd\r\ne", "ü"], 3)])
    #expect(
      page.text
        == #"""
        # HELP frames_total A \\ and\na line feed, "so".
        # TYPE frames_total counter
        frames_total{port="a\"b\\c\nd\#r\ne",reason="ü"} 3

        """#.replacing("\\#r", with: "\r"))
  }

  @Test func withoutSamples() {
    var page = Exposition()
    page.add(Metric(.gauge, "up", labels: ["port"], "Help."), [([String], Double)]())
    #expect(page.text == "# HELP up Help.\n# TYPE up gauge\n")
  }

  @Test(arguments: [
    (0, "0"), (-3, "-3"), (9_007_199_254_740_992, "9007199254740992"), (0.25, "0.25"),
    (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"),
  ])
  func numbers(_ value: Double, _ text: String) {
    var page = Exposition()
    page.add(Metric(.gauge, "x", "Help."), value)
    #expect(page.text == "# HELP x Help.\n# TYPE x gauge\nx \(text)\n")
  }

  @Test func bucketsAreCumulative() {
    let histogram = Histogram(bounds: [0.1, 1])
    for milliseconds in [50, 100, 101, 5000] {
      histogram.observe(.milliseconds(milliseconds), "add")
    }
    var page = Exposition()
    page.add(
      Metric(.histogram, "wait_seconds", labels: ["command"], "Help."), histogram.values)
    #expect(
      page.text == """
        # HELP wait_seconds Help.
        # TYPE wait_seconds histogram
        wait_seconds_bucket{command="add",le="0.1"} 2
        wait_seconds_bucket{command="add",le="1"} 3
        wait_seconds_bucket{command="add",le="+Inf"} 4
        wait_seconds_sum{command="add"} 5.251
        wait_seconds_count{command="add"} 4

        """)
  }

  @Test func histogramWithoutLabels() {
    var value = Histogram.Value(bounds: [1])
    value.observe(0.5)
    var page = Exposition()
    page.add(Metric(.histogram, "w", "Help."), value)
    #expect(
      page.text.hasSuffix("w_bucket{le=\"1\"} 1\nw_bucket{le=\"+Inf\"} 1\nw_sum 0.5\nw_count 1\n"))
  }

  @Test func tally() {
    let tally = Tally([["add", "ok"], ["del", "ok"]])
    tally.add("add", "ok")
    tally.add("add", "error", count: 2)
    tally.add("add", "never", count: 0)
    #expect(tally.values == [["add", "ok"]: 1, ["add", "error"]: 2, ["del", "ok"]: 0])
  }
}
