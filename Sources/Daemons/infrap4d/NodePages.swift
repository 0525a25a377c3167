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
      "/healthz": { _ in liveness(await watch.silence) },
      "/readyz": { _ in
        await watch.isReady()
          ? .text("ok")
          : .text(
            "no pipeline is installed; a controller has to push one by P4Runtime",
            .serviceUnavailable)
      },
    ]
  }

  /// - Parameter silence: of the thread that forwards frames.
  static func liveness(_ silence: Duration) -> HTTPAnswer {
    silence < Heartbeat.patience
      ? .text("ok")
      : .text(
        "the thread that forwards frames has not answered for \(silence.components.seconds) s; "
          + "restart infrap4d, and report its log",
        .serviceUnavailable)
  }
}
