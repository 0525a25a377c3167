import ManagerService
import Metrics

/// The metrics of inframanager; `docs/metrics.md` has the same.
enum ManagerMetrics {
  private static let ready = Metric(
    .gauge, "inframanager_dataplane_ready",
    "1 when infrap4d is reached, this is its primary controller, and it has what is wanted.")
  private static let kept = Metric(
    .gauge, "inframanager_state_kept",
    "1 when the disk has what is wanted, so that a restart finds it, or nothing is to be kept.")
  private static let host = Metric(
    .gauge, "inframanager_desired_host_interfaces", "1 when the host's interface is known.")
  private static let pods = Metric(.gauge, "inframanager_desired_pods", "Pods that are wanted.")
  private static let ports = Metric(
    .gauge, "inframanager_desired_service_ports", "Ports of Services that are wanted.")
  private static let endpoints = Metric(
    .gauge, "inframanager_desired_endpoints",
    "Endpoints of those; one that serves several ports is counted for each.")
  private static let policies = Metric(
    .gauge, "inframanager_policy_objects", labels: ["kind"],
    "What Calico has said and is kept, by what it is about; it is not enforced.")
  private static let queue = Metric(
    .gauge, "inframanager_queue_depth", "Changes that wait for those being made.")
  private static let changes = Metric(
    .counter, "inframanager_changes_total", labels: ["kind", "result"],
    "Changes that agents asked for, by how they ended: ok or the error's code.")
  private static let updates = Metric(
    .counter, "inframanager_table_updates_total", labels: ["result"],
    "Updates of table entries, by how their batch ended: ok or the error's code.")
  private static let reconcile = Metric(
    .histogram, "inframanager_reconcile_duration_seconds",
    "Time that a batch of changes took: compiling it and writing what differs.")
  private static let change = Metric(
    .histogram, "inframanager_change_duration_seconds",
    "From a change's arrival until packets follow it or it has failed.")

  static func text(_ activity: ManagerActivity, isReady: Bool) -> String {
    var page = Exposition()
    ProcessMetrics.add(to: &page, program: "inframanager")
    page.add(ready, isReady ? 1 : 0)
    page.add(kept, activity.isKept ? 1 : 0)
    page.add(host, activity.hasHost ? 1 : 0)
    page.add(pods, activity.pods)
    page.add(ports, activity.servicePorts)
    page.add(endpoints, activity.endpoints)
    page.add(policies, activity.policies)
    page.add(queue, activity.queue)
    page.add(changes, activity.changes)
    page.add(updates, activity.updates)
    page.add(reconcile, activity.reconcileDuration)
    page.add(change, activity.changeDuration)
    return page.text
  }
}
