/// A plain C surface over DPDK 22.11's librte_pipeline (SWX). No DPDK type
/// shows here. All numbers are host order; results are 0 or a negative errno.
#ifndef CSWX_H
#define CSWX_H

#include <stddef.h>
#include <stdint.h>

typedef struct cswx cswx;

/// Starts DPDK's environment, once per process: no hugepages, no files, no
/// device probing. The calling thread keeps its CPU affinity.
int cswx_start(uint32_t megabytes);
/// Cycles a second of the engine's counter; 0 before cswx_start.
uint64_t cswx_hertz(void);
/// The engine's counter now.
uint64_t cswx_cycles(void);

/// Lists that cswx_push fills and the next configuring call consumes.
enum { CSWX_FIELDS = 0, CSWX_ACTIONS = 1, CSWX_TIMEOUTS = 2, CSWX_CODE = 0 };

/// An empty pipeline with out ports 0..<ports, and 256 more for drop reasons.
cswx *cswx_create(uint32_t ports);
void cswx_free(cswx *p);

/// Appends to a list. fields of a struct: a = bits. Key fields: a = 0 exact,
/// 1 wildcard, 2 lpm. Actions: a = for entries, b = for the default.
/// Timeouts: a = seconds.
int cswx_push(cswx *p, int list, const char *text, uint32_t a, uint32_t b);
int cswx_struct(cswx *p, const char *name, int last_is_variable);
int cswx_header(cswx *p, const char *name, const char *type);
int cswx_metadata(cswx *p, const char *type);
int cswx_registers(cswx *p, const char *name, uint32_t size, uint64_t initial);
int cswx_meters(cswx *p, const char *name, uint32_t size);
int cswx_action(cswx *p, const char *name, const char *arguments);
int cswx_table(cswx *p, const char *name, const char *default_action, const char *default_arguments,
               int default_is_constant, const char *hash, const char *type, uint32_t size);
int cswx_learner(cswx *p, const char *name, const char *default_action,
                 const char *default_arguments, int default_is_constant, const char *hash,
                 uint32_t size);
int cswx_selector(cswx *p, const char *name, const char *group, const char *member,
                  uint32_t groups, uint32_t members);
int cswx_apply(cswx *p);

/// Allocates all tables; nothing can be configured afterwards. The numbers say
/// what was configured: headers, their bytes together, and bytes of metadata.
///
/// Returns -ENOTSUP when the library's inner layout is not the one this shim
/// was written for.
int cswx_build(cswx *p, uint32_t n_headers, uint32_t header_bytes, uint32_t metadata_bytes);

/// Whether entries can be added to a table one at a time (exact match).
int cswx_table_is_exact(cswx *p, uint32_t table);
/// Adds or overwrites an entry. Values in the spec's order.
int cswx_table_set(cswx *p, uint32_t table, const uint64_t *key, uint32_t action,
                   const uint64_t *arguments);
int cswx_table_delete(cswx *p, uint32_t table, const uint64_t *key);
/// Sets what a miss of a table runs.
int cswx_table_default(cswx *p, uint32_t table, uint32_t action, const uint64_t *arguments);
/// Reads an entry back from the engine: 1 found, 0 not.
int cswx_table_get(cswx *p, uint32_t table, const uint64_t *key, uint32_t *action,
                   uint64_t *arguments);
/// The place of an entry in arrays indexed by `entryid`: 0 when it is not there.
int64_t cswx_table_index(cswx *p, uint32_t table, const uint64_t *key);

/// Tables of which the engine makes a whole from all entries (wildcard match): makes one of
/// `count` entries, the one that wins first. Entry i has the index i + 1. Keys and masks are
/// one after another, arguments `stride` apart. NULL when it cannot be made: no memory, or
/// the masks are too manifold.
void *cswx_rules_make(cswx *p, uint32_t table, uint32_t count, const uint64_t *keys,
                      const uint64_t *masks, const uint32_t *actions, const uint64_t *arguments,
                      uint32_t stride);
/// Puts it in the place of the present one, which is freed.
void cswx_rules_use(cswx *p, uint32_t table, void *rules);
/// Frees one that is not used.
void cswx_rules_free(cswx *p, uint32_t table, void *rules);

/// Replaces the members of a group.
int cswx_group_set(cswx *p, uint32_t selector, uint32_t group, uint32_t count, const uint32_t *ids,
                   const uint32_t *weights);

/// Counters: hit, miss, learned, learn failed, rearmed; one an action.
int cswx_table_stats(cswx *p, const char *table, uint64_t values[2], uint64_t *actions);
int cswx_learner_stats(cswx *p, const char *learner, uint64_t values[5], uint64_t *actions);
int cswx_register_read(cswx *p, const char *name, uint32_t index, uint64_t *value);
int cswx_register_write(cswx *p, const char *name, uint32_t index, uint64_t value);
/// Meters: bytes a second and bytes, committed and peak, under a name that is free.
int cswx_profile_add(cswx *p, const char *profile, const uint64_t rates[4]);
int cswx_profile_delete(cswx *p, const char *profile);
/// NULL: everything is green.
int cswx_meter_set(cswx *p, const char *array, uint32_t index, const char *profile);
/// Packets and bytes that were green, yellow, red.
int cswx_meter_stats(cswx *p, const char *array, uint32_t index, uint64_t packets[3],
                     uint64_t bytes[3]);
int cswx_timeout_set(cswx *p, uint32_t learner, uint32_t id, uint32_t seconds);

/// Slots of a learner, and what is in one: 1 live, 0 not. Key and argument
/// values in the spec's order.
uint64_t cswx_learner_slots(cswx *p, uint32_t learner);
/// The first slot from this one on with a live entry, or `end` when there is none below.
uint64_t cswx_learner_next(cswx *p, uint32_t learner, uint64_t slot, uint64_t end, uint64_t now);
int cswx_learner_get(cswx *p, uint32_t learner, uint64_t slot, uint64_t now, uint64_t *key,
                     uint32_t *action, uint64_t *arguments, uint32_t *timer, uint64_t *expiry);
/// Puts an entry into a learner that has none with its key. It lives until the cycle count
/// `expiry`. -EINVAL for what the learner cannot have, -ENOSPC when its bucket is full.
int cswx_learner_put(cswx *p, uint32_t learner, const uint64_t *key, uint32_t action,
                     const uint64_t *arguments, uint32_t timer, uint64_t expiry);

/// Frames in a block of slots, as Core's FrameBatch lays them out.
typedef struct {
  uint8_t *base;
  /// Frame -> its slot.
  const uint32_t *slots;
  size_t stride;
  uint32_t headroom;
  uint32_t *lengths;
  const uint32_t *ports;
  /// In: frames with the top bit set are left out. Out: a port, or the top bit
  /// and a drop reason.
  uint32_t *verdicts;
  /// Two a frame: what it is between (Core's ConversationEnds). Frames that share an
  /// end, other than both as their destination, keep their order when one of them may
  /// change a flow; the others may be in flight together. NULL: one frame at a time.
  const uint64_t *ends;
} cswx_block;

/// How frames are run.
typedef struct {
  /// The engine sees this cycle count instead of the processor's; 0: it does not.
  uint64_t cycles;
  /// 0...255: before every frame, metadata and the storage of headers that the
  /// frame does not have are filled with this byte, and it is alone in the pipeline;
  /// -1: they keep what earlier frames left.
  int stale;
  /// The block outlives the pipeline: headers of its frames may be found by frames
  /// of later runs, as in the engine's own ports. Otherwise they are forgotten.
  int keep;
  /// Write the in port as 8 bytes, big-endian, before every frame.
  int port_header;
} cswx_mode;

/// Runs frames first..<end. Returns 0, or -ETIME when a frame did not come out.
int cswx_run(cswx *p, const cswx_block *block, uint32_t first, uint32_t end, const cswx_mode *mode);

/// Frames a port (ports values) or a reason (256 values) has had.
const uint64_t *cswx_forwarded(const cswx *p);
uint64_t *cswx_dropped(cswx *p);

/// Prepares runs with a cycle count of their own: learner tables get it in place of
/// the processor's. -ENOTSUP where librte_pipeline is not a shared library.
int cswx_enable_virtual_time(void);

#endif
