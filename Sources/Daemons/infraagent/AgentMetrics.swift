import AgentService
import CNIBackend
import Metrics
import ServiceSync

/// The metrics of infraagent; `docs/metrics.md` has the same.
enum AgentMetrics {
  private static let conditions = Metric(
    .gauge, "infraagent_condition", labels: ["condition"],
    "1 when a condition of /check is met, else 0.")
  private static let requests = Metric(
    .counter, "infraagent_cni_requests_total", labels: ["command", "result"],
    "Requests of CNI plugins: add or del, ok or error.")
  private static let requestDuration = Metric(
    .histogram, "infraagent_cni_request_duration_seconds", labels: ["command"],
    "Time that a request of a CNI plugin took.")
  private static let pods = Metric(.gauge, "infraagent_pods", "Pods that are on record.")
  private static let watchFailures = Metric(
    .counter, "infraagent_watch_failures_total", labels: ["kind"],
    "Lists and watches of the Kubernetes API that failed and are tried again.")
  private static let lists = Metric(
    .counter, "infraagent_watch_lists_total", labels: ["kind"],
    "Times that all objects of a kind were listed.")
  private static let servicePorts = Metric(
    .gauge, "infraagent_service_ports", "Ports of Services that Kubernetes has for this node.")
  private static let endpoints = Metric(
    .gauge, "infraagent_endpoints",
    "Endpoints of those; one that serves several ports is counted for each.")
  private static let affine = Metric(
    .gauge, "infraagent_services_affinity_ignored",
    "Services that ask for sessionAffinity: ClientIP, which the pipeline does not do.")
  private static let pending = Metric(
    .gauge, "infraagent_service_ports_pending",
    "Ports of Services that the manager has yet to be told of.")
  private static let calls = Metric(
    .counter, "infraagent_manager_calls_total", labels: ["call", "result"],
    "Service ports that the manager was told of: put or remove, ok or error.")
  private static let sync = Metric(
    .histogram, "kubeproxy_sync_proxy_rules_duration_seconds",
    "Time that it took to tell the manager of the Services that changed.")
  private static let lastSync = Metric(
    .gauge, "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
    "When the manager last knew of all Services, seconds since 1970.")
  private static let lastQueued = Metric(
    .gauge, "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds",
    "When Services or endpoints last changed, seconds since 1970.")
  private static let serviceChanges = Metric(
    .counter, "kubeproxy_sync_proxy_rules_service_changes_total", "Changes of Services.")
  private static let endpointChanges = Metric(
    .counter, "kubeproxy_sync_proxy_rules_endpoint_changes_total", "Changes of EndpointSlices.")
  private static let programming = Metric(
    .histogram, "kubeproxy_network_programming_duration_seconds",
    "From the change of a pod or Service until packets on this node follow it.")

  /// Where the agent's numbers come from.
  struct Sources: Sendable {
    var conditions: CheckPage.Conditions
    var cni: CNIActivity
    var pods: Int
    /// nil: there is no Kubernetes.
    var watch: ServiceWatch?
  }

  static func text(_ sources: Sources) async -> String {
    var page = Exposition()
    ProcessMetrics.add(to: &page, program: "infraagent")
    page.add(
      conditions,
      sources.conditions.sorted { $0.key < $1.key }.map { ([$0.key], $0.value ? 1 : 0) })
    page.add(requests, sources.cni.requests.values)
    page.add(requestDuration, sources.cni.duration.values)
    page.add(pods, sources.pods)
    page.add(watchFailures, sources.watch?.failures.values ?? [:])
    page.add(lists, sources.watch?.lists.values ?? [:])
    let activity = await sources.watch?.activity() ?? SyncActivity()
    page.add(servicePorts, activity.servicePorts)
    page.add(endpoints, activity.endpoints)
    page.add(affine, activity.affine)
    page.add(pending, activity.pending)
    page.add(calls, activity.calls)
    page.add(sync, activity.syncDuration)
    page.add(lastSync, activity.lastSync)
    page.add(lastQueued, activity.lastQueued)
    page.add(serviceChanges, activity.serviceChanges)
    page.add(endpointChanges, activity.endpointChanges)
    page.add(programming, activity.programmingDuration)
    return page.text
  }
}
