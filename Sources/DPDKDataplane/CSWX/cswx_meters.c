#ifdef K8SDP_WITH_DPDK
#include "cswx_internal.h"
#include <rte_meter.h>

int cswx_profile_add(cswx *p, const char *profile, const uint64_t rates[4]) {
  struct rte_meter_trtcm_params parameters = {
    .cir = rates[0], .cbs = rates[1], .pir = rates[2], .pbs = rates[3]};
  return rte_swx_ctl_meter_profile_add(p->pipeline, profile, &parameters);
}

int cswx_profile_delete(cswx *p, const char *profile) {
  return rte_swx_ctl_meter_profile_delete(p->pipeline, profile);
}

int cswx_meter_set(cswx *p, const char *array, uint32_t index, const char *profile) {
  return profile ? rte_swx_ctl_meter_set(p->pipeline, array, index, profile)
                 : rte_swx_ctl_meter_reset(p->pipeline, array, index);
}

int cswx_meter_stats(cswx *p, const char *array, uint32_t index, uint64_t packets[3],
                     uint64_t bytes[3]) {
  struct rte_swx_ctl_meter_stats stats;
  int status = rte_swx_ctl_meter_stats_read(p->pipeline, array, index, &stats);
  if (status) return status;
  for (int color = 0; color < 3; color++) {
    packets[color] = stats.n_pkts[color];
    bytes[color] = stats.n_bytes[color];
  }
  return 0;
}
#endif
