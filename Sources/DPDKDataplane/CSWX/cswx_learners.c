#ifdef K8SDP_WITH_DPDK
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "cswx_internal.h"
#include <rte_common.h>

// A mirror of `struct table_params` and `struct table_bucket` in DPDK 22.11
// (rte_swx_table_learner.c), which has no way to list what was learned.
#define KEYS 4u

struct learner_table {
  size_t key_size, key_size_pow2, key_size_log2, key_offset;
  size_t action_data_size, data_size_pow2, data_size_log2;
  size_t n_buckets, bucket_mask, bucket_key_all_size, bucket_size, bucket_size_log2;
  void *hash_func, *keycmp_func;
  uint64_t key_timeout[RTE_SWX_TABLE_LEARNER_N_KEY_TIMEOUTS_MAX];
  uint32_t n_key_timeouts;
  size_t total_size;
  uint8_t buckets[];
} __rte_cache_aligned;

struct learner_bucket {
  uint32_t time[KEYS], sig[KEYS];
  uint8_t timeout_id[KEYS];
  uint8_t pad[RTE_CACHE_LINE_SIZE - KEYS * 9];
  uint8_t key[];
};

static struct learner_table *table(cswx *p, uint32_t learner) {
  if (learner >= p->n_learners) return NULL;
  return p->state[p->n_tables + p->n_selectors + learner].obj;
}

uint64_t cswx_learner_slots(cswx *p, uint32_t learner) {
  struct learner_table *t = table(p, learner);
  // The mirror is right if the sizes it reads explain each other.
  if (!t || t->key_size != p->learner_keys[learner].bytes || t->bucket_mask != t->n_buckets - 1 ||
      t->bucket_size != (size_t)1 << t->bucket_size_log2 ||
      t->total_size != sizeof(*t) + t->n_buckets * t->bucket_size) {
    return 0;
  }
  return t->n_buckets * KEYS;
}

// Whether any page of a block was ever written. A table is mostly pages that were
// not: reading them all would make the kernel zero every one.
static int is_touched(const uint8_t *block, size_t bytes) {
  static int pagemap = -2;
  if (pagemap == -2) pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (pagemap < 0) return 1;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t first = (size_t)block / page, last = ((size_t)block + bytes - 1) / page;
  while (first <= last) {
    uint64_t entries[512];
    size_t count = RTE_MIN(last - first + 1, RTE_DIM(entries));
    ssize_t size = (ssize_t)(count * sizeof(entries[0]));
    if (pread(pagemap, entries, (size_t)size, (off_t)(first * sizeof(entries[0]))) != size) return 1;
    // Documentation/admin-guide/mm/pagemap.rst: bit 63 is present, 62 swapped.
    for (size_t i = 0; i < count; i++) {
      if (entries[i] >> 62) return 1;
    }
    first += count;
  }
  return 0;
}

uint64_t cswx_learner_next(cswx *p, uint32_t learner, uint64_t slot, uint64_t end, uint64_t now) {
  uint64_t slots = RTE_MIN(cswx_learner_slots(p, learner), end);
  struct learner_table *t = table(p, learner);
  // Blocks of 2 MB, the size of a huge page.
  uint64_t block = slots ? RTE_MAX(((size_t)2 << 20) / t->bucket_size, (size_t)1) * KEYS : 1;
  while (slot < slots) {
    uint8_t *bytes = &t->buckets[(slot / KEYS) << t->bucket_size_log2];
    if (slot % block == 0) {
      uint64_t buckets = RTE_MIN(block, slots - slot) / KEYS;
      if (!is_touched(bytes, buckets << t->bucket_size_log2)) {
        slot += block;
        continue;
      }
    }
    const struct learner_bucket *b = (const struct learner_bucket *)bytes;
    if (slot % KEYS == 0 && (b->time[0] | b->time[1] | b->time[2] | b->time[3]) == 0) {
      slot += KEYS;
      continue;
    }
    if ((uint64_t)b->time[slot % KEYS] << 32 > now) return slot;
    slot++;
  }
  return end;
}

int cswx_learner_get(cswx *p, uint32_t learner, uint64_t slot, uint64_t now, uint64_t *key,
                     uint32_t *action, uint64_t *arguments, uint32_t *timer, uint64_t *expiry) {
  struct learner_table *t = table(p, learner);
  if (!t) return 0;
  struct learner_bucket *b =
    (struct learner_bucket *)&t->buckets[(slot / KEYS) << t->bucket_size_log2];
  uint32_t i = slot % KEYS;
  uint64_t until = (uint64_t)b->time[i] << 32;
  if (until <= now) return 0;
  const uint8_t *data = &b->key[t->bucket_key_all_size + ((size_t)i << t->data_size_log2)];
  uint64_t id;
  memcpy(&id, data, sizeof(id));
  if (id >= p->n_actions) return 0;
  cswx_layout_take(&p->learner_keys[learner], &b->key[(size_t)i << t->key_size_log2], key);
  cswx_layout_take(&p->arguments[id], data + sizeof(id), arguments);
  *action = (uint32_t)id;
  *timer = b->timeout_id[i];
  *expiry = until;
  return 1;
}

int cswx_learner_put(cswx *p, uint32_t learner, const uint64_t *key, uint32_t action,
                     const uint64_t *arguments, uint32_t timer, uint64_t expiry) {
  struct learner_table *t = table(p, learner);
  // Slots are 0 when the mirror is not right.
  if (cswx_learner_slots(p, learner) == 0 || action >= p->n_actions ||
      timer >= t->n_key_timeouts || expiry <= t->key_timeout[timer] ||
      p->arguments[action].bytes > t->action_data_size) {
    return -EINVAL;
  }
  uint8_t *mailbox = calloc(1, rte_swx_table_learner_mailbox_size_get());
  uint8_t *source = calloc(1, t->key_offset + t->key_size_pow2);
  uint8_t *data = calloc(1, t->data_size_pow2);
  int status = -ENOMEM;
  if (mailbox && source && data) {
    cswx_layout_put(&p->learner_keys[learner], key, source + t->key_offset);
    cswx_layout_put(&p->arguments[action], arguments, data);
    uint64_t found_action;
    uint8_t *found_data;
    size_t entry;
    int hit = 0;
    // The table adds the length of the timer to the time that it is given.
    uint64_t time = expiry - t->key_timeout[timer];
    // It looks in two steps, to wait for memory in between.
    while (!rte_swx_table_learner_lookup(t, mailbox, time, &source, &found_action, &found_data,
                                         &entry, &hit)) {}
    status = hit ? -EEXIST : 0;
    if (!hit && rte_swx_table_learner_add(t, mailbox, time, action, data, timer)) status = -ENOSPC;
  }
  free(mailbox);
  free(source);
  free(data);
  return status;
}

int cswx_learner_stats(cswx *p, const char *learner, uint64_t values[5], uint64_t *actions) {
  struct rte_swx_learner_stats stats = {.n_pkts_action = actions};
  int status = rte_swx_ctl_pipeline_learner_stats_read(p->pipeline, learner, &stats);
  values[0] = stats.n_pkts_hit;
  values[1] = stats.n_pkts_miss;
  values[2] = stats.n_pkts_learn_ok;
  values[3] = stats.n_pkts_learn_err;
  values[4] = stats.n_pkts_rearm;
  return status;
}

int cswx_timeout_set(cswx *p, uint32_t learner, uint32_t id, uint32_t seconds) {
  return rte_swx_ctl_pipeline_learner_timeout_set(p->pipeline, learner, id, seconds);
}
#endif
