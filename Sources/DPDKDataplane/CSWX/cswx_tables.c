#ifdef K8SDP_WITH_DPDK
#include "cswx_internal.h"

void cswx_layout_put(const struct cswx_layout *layout, const uint64_t *values, uint8_t *bytes) {
  for (uint32_t i = 0; i < layout->count; i++) {
    const struct cswx_field *f = &layout->fields[i];
    for (uint32_t j = 0; j < f->bytes; j++) {
      uint32_t shift = 8 * (f->network_order ? f->bytes - 1 - j : j);
      bytes[f->offset + j] = (uint8_t)(values[i] >> shift);
    }
  }
}

void cswx_layout_take(const struct cswx_layout *layout, const uint8_t *bytes, uint64_t *values) {
  for (uint32_t i = 0; i < layout->count; i++) {
    const struct cswx_field *f = &layout->fields[i];
    values[i] = 0;
    for (uint32_t j = 0; j < f->bytes; j++) {
      uint32_t shift = 8 * (f->network_order ? f->bytes - 1 - j : j);
      values[i] |= (uint64_t)bytes[f->offset + j] << shift;
    }
  }
}

int cswx_table_is_exact(cswx *p, uint32_t table) {
  return table < p->n_tables && p->tables[table].is_exact;
}

int cswx_table_set(cswx *p, uint32_t table, const uint64_t *key, uint32_t action,
                   const uint64_t *arguments) {
  uint8_t key_bytes[CSWX_KEY_MAX] = {0};
  uint8_t data[CSWX_KEY_MAX] = {0};
  if (table >= p->n_tables || action >= p->n_actions) return -EINVAL;
  struct cswx_table *t = &p->tables[table];
  if (!t->is_exact) return -ENOTSUP;
  cswx_layout_put(&t->key, key, key_bytes);
  cswx_layout_put(&p->arguments[action], arguments, data);
  struct rte_swx_table_entry entry = {
    .key = key_bytes, .action_id = action, .action_data = data};
  return t->ops.add(p->state[table].obj, &entry);
}

int cswx_table_delete(cswx *p, uint32_t table, const uint64_t *key) {
  uint8_t key_bytes[CSWX_KEY_MAX] = {0};
  if (table >= p->n_tables) return -EINVAL;
  struct cswx_table *t = &p->tables[table];
  if (!t->is_exact) return -ENOTSUP;
  cswx_layout_put(&t->key, key, key_bytes);
  struct rte_swx_table_entry entry = {.key = key_bytes};
  return t->ops.del(p->state[table].obj, &entry);
}

int cswx_table_default(cswx *p, uint32_t table, uint32_t action, const uint64_t *arguments) {
  uint8_t data[CSWX_KEY_MAX] = {0};
  if (table >= p->n_tables || action >= p->n_actions) return -EINVAL;
  struct rte_swx_table_state *state = &p->state[table];
  const struct cswx_layout *layout = &p->arguments[action];
  // Without data in any of its actions the table has no room for some.
  if (layout->bytes && !state->default_action_data) return -EINVAL;
  cswx_layout_put(layout, arguments, data);
  if (layout->bytes) memcpy(state->default_action_data, data, layout->bytes);
  state->default_action_id = action;
  return 0;
}

// What a frame with this key would find: 1 when it is there.
static int look_up(cswx *p, uint32_t table, const uint64_t *key, uint64_t *action, uint8_t **data,
                   size_t *entry) {
  // The engine's keys lie at their offset within the metadata or header.
  uint8_t buffer[CSWX_KEY_MAX + 256] = {0};
  uint8_t mailbox[256] __attribute__((aligned(64))) = {0};
  if (table >= p->n_tables) return -EINVAL;
  struct cswx_table *t = &p->tables[table];
  if (!t->is_exact) return -ENOTSUP;
  if (t->ops.mailbox_size_get && t->ops.mailbox_size_get() > sizeof(mailbox)) return -ENOTSUP;
  cswx_layout_put(&t->key, key, buffer + t->key.origin);
  uint8_t *start = buffer;
  int hit = 0;
  while (!t->ops.lkp(p->state[table].obj, mailbox, &start, action, data, entry, &hit)) {
  }
  return hit;
}

int cswx_table_get(cswx *p, uint32_t table, const uint64_t *key, uint32_t *action,
                   uint64_t *arguments) {
  uint8_t *data = NULL;
  uint64_t id = 0;
  size_t entry = 0;
  int hit = look_up(p, table, key, &id, &data, &entry);
  if (hit <= 0) return hit;
  if (id >= p->n_actions) return 0;
  *action = (uint32_t)id;
  cswx_layout_take(&p->arguments[id], data, arguments);
  return 1;
}

int64_t cswx_table_index(cswx *p, uint32_t table, const uint64_t *key) {
  uint8_t *data = NULL;
  uint64_t id = 0;
  size_t entry = 0;
  int hit = look_up(p, table, key, &id, &data, &entry);
  return hit > 0 ? (int64_t)entry + 1 : hit;
}

int cswx_group_set(cswx *p, uint32_t selector, uint32_t group, uint32_t count, const uint32_t *ids,
                   const uint32_t *weights) {
  if (selector >= p->n_selectors) return -EINVAL;
  struct rte_swx_table_selector_group members;
  TAILQ_INIT(&members.members);
  struct rte_swx_table_selector_member *all = calloc(count ? count : 1, sizeof(*all));
  if (!all) return -ENOMEM;
  for (uint32_t i = 0; i < count; i++) {
    all[i].member_id = ids[i];
    all[i].member_weight = weights[i];
    TAILQ_INSERT_TAIL(&members.members, &all[i], node);
  }
  int status = rte_swx_table_selector_group_set(p->state[p->n_tables + selector].obj, group,
                                                count ? &members : NULL);
  free(all);
  return status;
}

int cswx_table_stats(cswx *p, const char *table, uint64_t values[2], uint64_t *actions) {
  struct rte_swx_table_stats stats = {.n_pkts_action = actions};
  int status = rte_swx_ctl_pipeline_table_stats_read(p->pipeline, table, &stats);
  values[0] = stats.n_pkts_hit;
  values[1] = stats.n_pkts_miss;
  return status;
}

int cswx_register_read(cswx *p, const char *name, uint32_t index, uint64_t *value) {
  return rte_swx_ctl_pipeline_regarray_read(p->pipeline, name, index, value);
}

int cswx_register_write(cswx *p, const char *name, uint32_t index, uint64_t value) {
  return rte_swx_ctl_pipeline_regarray_write(p->pipeline, name, index, value);
}
#endif
