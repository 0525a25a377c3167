import HTTPServing
import Metrics

/// What infrap4d serves by HTTP.
enum NodePages {
  static func all(_ watch: NodeWatch) -> HTTPServer.Pages {
    [
      "/": { _ in
        HTTPAnswer(
          "text/html; charset=utf-8",
          String(decoding: PackageResources.status_html, as: UTF8.self))
      },
      "/status.json": { _ in .json(await watch.status().json) },
      "/metrics": { _ in
        HTTPAnswer(
          Exposition.contentType,
          NodeMetrics.text(await watch.latest(), engine: watch.engine))
      },
      "/healthz": { _ in .text("ok") },
      "/readyz": { _ in
        await watch.isReady()
          ? .text("ok")
          : .text(
            "no pipeline is installed; a controller has to push one by P4Runtime",
            .serviceUnavailable)
      },
    ]
  }
}
