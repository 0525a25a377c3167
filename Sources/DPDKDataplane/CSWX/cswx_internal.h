// What the files of this shim share. Not part of its surface.
#ifndef CSWX_INTERNAL_H
#define CSWX_INTERNAL_H

#include <rte_config.h>
#include <rte_version.h>

#if RTE_VERSION < RTE_VERSION_NUM(22, 11, 0, 0) || RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#error "This shim mirrors inner structures of DPDK 22.11: check them against this version first."
#endif

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_swx_ctl.h>
#include <rte_swx_pipeline.h>
#include <rte_swx_port.h>
#include <rte_swx_table.h>
#include <rte_swx_table_learner.h>
#include <rte_swx_table_selector.h>

#include "include/cswx.h"
#include "cswx_inner.h"

#define CSWX_DROP_BIT 0x80000000u
#define CSWX_REASONS 256u
#define CSWX_FIELDS_MAX 64u
#define CSWX_KEY_MAX 512u
// At least as many as the engine takes: RTE_SWX_PIPELINE_THREADS_MAX is 16.
#define CSWX_IN_FLIGHT_MAX 32u

struct cswx_item {
  char text[256];
  uint32_t a, b;
};

struct cswx_list {
  struct cswx_item *items;
  uint32_t count, capacity;
};

// One value of a key or of an action's arguments, in memory.
struct cswx_field {
  uint32_t offset, bytes;
  int network_order;
};

struct cswx_layout {
  uint32_t count, bytes;
  // Of the first byte within its struct.
  uint32_t origin;
  struct cswx_field fields[CSWX_FIELDS_MAX];
};

struct cswx_table {
  struct cswx_layout key;
  struct rte_swx_table_ops ops;
  int is_exact;
  // What a table of rules is made with.
  struct rte_swx_table_params params;
  uint8_t key_mask[CSWX_KEY_MAX];
};

struct cswx_out {
  cswx *owner;
  uint32_t id;
};

struct cswx {
  struct rte_swx_pipeline *pipeline;
  struct cswx_list lists[3];
  uint32_t n_ports, n_tables, n_selectors, n_learners, n_actions;
  struct cswx_table *tables;
  struct cswx_layout *learner_keys;
  struct cswx_layout *arguments;
  struct rte_swx_table_state *state;
  struct cswx_inner inner;
  uint64_t *forwarded, *dropped;

  // The frames of the present run.
  cswx_block block;
  uint32_t next, end, pending;
  uint32_t in_flight[CSWX_IN_FLIGHT_MAX];
  int port_header;
};

void cswx_layout_put(const struct cswx_layout *layout, const uint64_t *values, uint8_t *bytes);
void cswx_layout_take(const struct cswx_layout *layout, const uint8_t *bytes, uint64_t *values);

extern struct rte_swx_port_in_ops cswx_in_ops;
extern struct rte_swx_port_out_ops cswx_out_ops;

void cswx_memory_use_huge_pages(void);

// The time of this thread's run in cycles; 0 is the processor's own.
void cswx_time_set(uint64_t cycles);

#endif
