#ifdef K8SDP_WITH_DPDK
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "cswx_internal.h"
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int started;

static int start(uint32_t megabytes) {
  cpu_set_t cpus;
  if (pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus)) return -errno;

  // "0@(0,1,…)": one logical core that floats over all processors we may use.
  static char cores[8 * CPU_SETSIZE];
  size_t used = (size_t)snprintf(cores, sizeof(cores), "0@(");
  for (int cpu = 0, any = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &cpus)) continue;
    used += (size_t)snprintf(cores + used, sizeof(cores) - used, any ? ",%d" : "%d", cpu);
    any = 1;
  }
  snprintf(cores + used, sizeof(cores) - used, ")");

  static char memory[16];
  snprintf(memory, sizeof(memory), "%u", megabytes);
  char *arguments[] = {"k8sdp",  "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
                       "--log-level=lib.eal:error", "-m", memory, "--lcores", cores, NULL};
  int count = (int)(sizeof(arguments) / sizeof(arguments[0])) - 1;
  int status = rte_eal_init(count, arguments);
  pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
  if (status < 0) return rte_errno ? -rte_errno : -EIO;
  cswx_memory_use_huge_pages();
  return 0;
}

int cswx_start(uint32_t megabytes) {
  pthread_mutex_lock(&lock);
  int status = 0;
  if (!started) {
    status = start(megabytes);
    started = status == 0;
  }
  pthread_mutex_unlock(&lock);
  return status;
}

uint64_t cswx_hertz(void) { return started ? rte_get_tsc_hz() : 0; }
uint64_t cswx_cycles(void) { return rte_rdtsc(); }
#endif
