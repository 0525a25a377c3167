#ifdef K8SDP_WITH_DPDK
#include "cswx_internal.h"
#include <rte_byteorder.h>

// Ports without buffers: a packet's handle is the number of the frame.

static void *in_create(void *owner) { return owner; }
static void in_free(void *port) { (void)port; }

#define CHANGE (1ull << 62)

static int is_same_end(uint64_t a, uint64_t b) {
  uint64_t difference = (a ^ b) & ~CHANGE;
  if (!a || difference >> 16) return 0;
  return !difference || !(a & 0xFFFF) || !(b & 0xFFFF);
}

// Whether frame i may touch a flow that one in flight touches.
static int must_wait(const cswx *p, uint32_t i) {
  if (!p->pending) return 0;
  if (!p->block.ends || p->pending == CSWX_IN_FLIGHT_MAX) return 1;
  const uint64_t *mine = p->block.ends + 2 * (size_t)i;
  for (uint32_t n = 0; n < p->pending; n++) {
    const uint64_t *other = p->block.ends + 2 * (size_t)p->in_flight[n];
    if (!((mine[0] | other[0]) & CHANGE)) continue;
    if (is_same_end(mine[0], other[0]) || is_same_end(mine[0], other[1]) ||
        is_same_end(mine[1], other[0]))
      return 1;
  }
  return 0;
}

static int in_receive(void *port, struct rte_swx_pkt *packet) {
  cswx *p = port;
  while (p->next < p->end && (p->block.verdicts[p->next] & CSWX_DROP_BIT)) p->next++;
  if (p->next >= p->end || must_wait(p, p->next)) return 0;
  uint32_t i = p->next++;
  packet->handle = (void *)(uintptr_t)i;
  packet->pkt = p->block.base + p->block.slots[i] * p->block.stride;
  packet->offset = p->block.headroom;
  packet->length = p->block.lengths[i];
  if (p->port_header) {
    uint64_t id = rte_cpu_to_be_64(p->block.ports[i]);
    packet->offset -= sizeof(id);
    packet->length += sizeof(id);
    memcpy(packet->pkt + packet->offset, &id, sizeof(id));
  }
  p->in_flight[p->pending++] = i;
  return 1;
}

static void in_stats(void *port, struct rte_swx_port_in_stats *stats) {
  (void)port;
  memset(stats, 0, sizeof(*stats));
}

static void *out_create(void *arguments) {
  struct cswx_out *port = malloc(sizeof(*port));
  if (port) *port = *(struct cswx_out *)arguments;
  return port;
}

static void out_send(void *object, struct rte_swx_pkt *packet) {
  struct cswx_out *port = object;
  cswx *p = port->owner;
  uint32_t i = (uint32_t)(uintptr_t)packet->handle;
  uint32_t place = 0;
  while (p->in_flight[place] != i) place++;
  p->in_flight[place] = p->in_flight[--p->pending];
  if (port->id >= p->n_ports) {
    uint32_t reason = port->id - p->n_ports;
    p->dropped[reason]++;
    p->block.verdicts[i] = CSWX_DROP_BIT | reason;
    return;
  }
  // A pipeline that adds or removes headers moves the start of the frame.
  if (packet->offset != p->block.headroom || packet->length != p->block.lengths[i]) {
    uint64_t room = p->block.stride - p->block.headroom;
    uint32_t length = packet->length > room ? 0 : packet->length;
    memmove(packet->pkt + p->block.headroom, packet->pkt + packet->offset, length);
    p->block.lengths[i] = length;
  }
  p->forwarded[port->id]++;
  p->block.verdicts[i] = port->id;
}

static void out_fast_clone(void *port, struct rte_swx_pkt *packet) {
  (void)port;
  (void)packet;
}
static void out_clone(void *port, struct rte_swx_pkt *packet, uint32_t length) {
  (void)port;
  (void)packet;
  (void)length;
}
static void out_flush(void *port) { (void)port; }
static void out_stats(void *port, struct rte_swx_port_out_stats *stats) {
  (void)port;
  memset(stats, 0, sizeof(*stats));
}

struct rte_swx_port_in_ops cswx_in_ops = {
  .create = in_create, .free = in_free, .pkt_rx = in_receive, .stats_read = in_stats};
struct rte_swx_port_out_ops cswx_out_ops = {
  .create = out_create,
  .free = free,
  .pkt_tx = out_send,
  .pkt_fast_clone_tx = out_fast_clone,
  .pkt_clone_tx = out_clone,
  .flush = out_flush,
  .stats_read = out_stats};

// Instructions that a frame can take at most, waiting threads included.
#define BUDGET (1u << 20)

static int drain(cswx *p, uint32_t from, uint32_t to, uint32_t turn) {
  uint64_t budget = (uint64_t)BUDGET * (to - from);
  p->next = from;
  p->end = to;
  do {
    rte_swx_pipeline_run(p->pipeline, turn);
    if (budget < turn) return -ETIME;
    budget -= turn;
  } while (p->pending || p->next < p->end);
  return 0;
}

int cswx_run(cswx *p, const cswx_block *block, uint32_t first, uint32_t end,
             const cswx_mode *mode) {
  if (first >= end) return 0;
  p->block = *block;
  p->port_header = mode->port_header;
  cswx_time_set(mode->cycles);
  int status = 0;
  if (mode->stale >= 0 || end - first == 1) {
    for (uint32_t i = first; i < end && !status; i++) {
      if (block->verdicts[i] & CSWX_DROP_BIT) continue;
      if (mode->stale >= 0) {
        cswx_inner_forget(&p->inner);
        cswx_inner_fill(&p->inner, (uint8_t)mode->stale);
      }
      status = drain(p, i, i + 1, 64);
    }
  } else {
    status = drain(p, first, end, 512);
  }
  cswx_time_set(0);
  // The caller may free the block now.
  if (!mode->keep) cswx_inner_forget(&p->inner);
  return status;
}

const uint64_t *cswx_forwarded(const cswx *p) { return p->forwarded; }
uint64_t *cswx_dropped(cswx *p) { return p->dropped; }
#endif
