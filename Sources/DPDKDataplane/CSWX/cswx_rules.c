#ifdef K8SDP_WITH_DPDK
#include "cswx_internal.h"

// The engine's wildcard match tables are contexts of librte_acl, which are built from all
// rules at once and never change (rte_swx_table_wm.c). They are made here by the table
// type's own operations, and take the place of the present one between two frames.

static struct cswx_table *rules_table(cswx *p, uint32_t table) {
  if (table >= p->n_tables) return NULL;
  struct cswx_table *t = &p->tables[table];
  return t->is_exact || !t->ops.create || !t->ops.free || !t->key.count ? NULL : t;
}

void *cswx_rules_make(cswx *p, uint32_t table, uint32_t count, const uint64_t *keys,
                      const uint64_t *masks, const uint32_t *actions, const uint64_t *arguments,
                      uint32_t stride) {
  struct cswx_table *t = rules_table(p, table);
  if (!t) return NULL;
  size_t key = t->key.bytes, size = 2 * key + t->params.action_data_size;
  struct rte_swx_table_entry *entries = calloc(count + 1, sizeof(*entries));
  uint8_t *bytes = calloc(count + 1, size);
  struct rte_swx_table_entry_list list;
  TAILQ_INIT(&list);
  void *rules = NULL;
  if (entries && bytes) {
    int is_good = 1;
    for (uint32_t i = 0; i < count && is_good; i++) {
      uint8_t *place = bytes + i * size;
      cswx_layout_put(&t->key, keys + (size_t)i * t->key.count, place);
      cswx_layout_put(&t->key, masks + (size_t)i * t->key.count, place + key);
      is_good = actions[i] < p->n_actions &&
                p->arguments[actions[i]].bytes <= t->params.action_data_size;
      if (is_good) {
        cswx_layout_put(&p->arguments[actions[i]], arguments + (size_t)i * stride, place + 2 * key);
      }
      entries[i] = (struct rte_swx_table_entry){.key = place,
                                                .key_mask = place + key,
                                                .key_priority = i,
                                                .action_id = actions[i],
                                                .action_data = place + 2 * key};
      TAILQ_INSERT_TAIL(&list, &entries[i], node);
    }
    if (is_good) rules = t->ops.create(&t->params, &list, NULL, 0);
  }
  free(entries);
  free(bytes);
  return rules;
}

void cswx_rules_use(cswx *p, uint32_t table, void *rules) {
  void *old = p->state[table].obj;
  p->state[table].obj = rules;
  cswx_rules_free(p, table, old);
}

void cswx_rules_free(cswx *p, uint32_t table, void *rules) {
  struct cswx_table *t = rules_table(p, table);
  if (t && rules) t->ops.free(rules);
}
#endif
