#ifdef K8SDP_WITH_DPDK
#include "cswx_internal.h"

typedef struct rte_swx_ctl_table_match_field_info field_info;

// Key fields lie where their struct has them, counted from the first one.
static int key_layout(struct cswx_layout *layout, const field_info *fields, uint32_t count) {
  if (count > CSWX_FIELDS_MAX) return -ENOTSUP;
  uint32_t first = UINT32_MAX, last = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (fields[i].offset < first) first = fields[i].offset;
    if (fields[i].offset + fields[i].n_bits > last) last = fields[i].offset + fields[i].n_bits;
  }
  layout->count = count;
  layout->origin = count ? first / 8 : 0;
  layout->bytes = count ? (last - first) / 8 : 0;
  if (layout->bytes > CSWX_KEY_MAX) return -ENOTSUP;
  for (uint32_t i = 0; i < count; i++) {
    layout->fields[i] = (struct cswx_field){
      (fields[i].offset - first) / 8, fields[i].n_bits / 8, fields[i].is_header};
  }
  return 0;
}

// As `table_params_get` in DPDK 22.11 (rte_swx_ctl.c) has them.
static int parameters(cswx *p, uint32_t id, const struct rte_swx_ctl_table_info *info,
                      struct cswx_table *t) {
  for (uint32_t i = 0; i < t->key.count; i++) {
    memset(t->key_mask + t->key.fields[i].offset, 0xFF, t->key.fields[i].bytes);
  }
  t->params = (struct rte_swx_table_params){
    .match_type = RTE_SWX_TABLE_MATCH_WILDCARD,
    .key_size = t->key.bytes,
    .key_offset = t->key.origin,
    .key_mask0 = t->key_mask,
    .n_keys_max = info->size};
  for (uint32_t i = 0; i < info->n_actions; i++) {
    struct rte_swx_ctl_table_action_info use;
    int status = rte_swx_ctl_table_action_info_get(p->pipeline, id, i, &use);
    if (status) return status;
    uint32_t bytes = p->arguments[use.action_id].bytes;
    if (bytes > t->params.action_data_size) t->params.action_data_size = bytes;
  }
  return 0;
}

static int tables(cswx *p) {
  field_info fields[CSWX_FIELDS_MAX];
  for (uint32_t i = 0; i < p->n_tables; i++) {
    struct rte_swx_ctl_table_info info;
    struct cswx_table *t = &p->tables[i];
    int is_stub = 0;
    int status = rte_swx_ctl_table_info_get(p->pipeline, i, &info);
    if (!status) status = rte_swx_ctl_table_ops_get(p->pipeline, i, &t->ops, &is_stub);
    if (status) return status;
    if (info.n_match_fields > CSWX_FIELDS_MAX) return -ENOTSUP;
    for (uint32_t j = 0; j < info.n_match_fields; j++) {
      status = rte_swx_ctl_table_match_field_info_get(p->pipeline, i, j, &fields[j]);
      if (status) return status;
    }
    status = key_layout(&t->key, fields, info.n_match_fields);
    if (status) return status;
    t->is_exact = !is_stub && t->ops.add && t->ops.del && t->ops.lkp;
    status = parameters(p, i, &info, t);
    if (status) return status;
  }
  return 0;
}

static int learners(cswx *p) {
  field_info fields[CSWX_FIELDS_MAX];
  for (uint32_t i = 0; i < p->n_learners; i++) {
    struct rte_swx_ctl_learner_info info;
    int status = rte_swx_ctl_learner_info_get(p->pipeline, i, &info);
    if (status) return status;
    if (info.n_match_fields > CSWX_FIELDS_MAX) return -ENOTSUP;
    for (uint32_t j = 0; j < info.n_match_fields; j++) {
      status = rte_swx_ctl_learner_match_field_info_get(p->pipeline, i, j, &fields[j]);
      if (status) return status;
    }
    status = key_layout(&p->learner_keys[i], fields, info.n_match_fields);
    if (status) return status;
  }
  return 0;
}

static int arguments(cswx *p) {
  for (uint32_t i = 0; i < p->n_actions; i++) {
    struct rte_swx_ctl_action_info info;
    struct cswx_layout *layout = &p->arguments[i];
    int status = rte_swx_ctl_action_info_get(p->pipeline, i, &info);
    if (status) return status;
    if (info.n_args > CSWX_FIELDS_MAX) return -ENOTSUP;
    layout->count = info.n_args;
    for (uint32_t j = 0; j < info.n_args; j++) {
      struct rte_swx_ctl_action_arg_info argument;
      status = rte_swx_ctl_action_arg_info_get(p->pipeline, i, j, &argument);
      if (status) return status;
      layout->fields[j] = (struct cswx_field){
        layout->bytes, argument.n_bits / 8, argument.is_network_byte_order};
      layout->bytes += argument.n_bits / 8;
      if (layout->bytes > CSWX_KEY_MAX) return -ENOTSUP;
    }
  }
  return 0;
}

int cswx_build(cswx *p, uint32_t n_headers, uint32_t header_bytes, uint32_t metadata_bytes) {
  int status = rte_swx_pipeline_build(p->pipeline);
  if (status) return status;
  struct rte_swx_ctl_pipeline_info info;
  status = rte_swx_ctl_pipeline_info_get(p->pipeline, &info);
  if (status) return status;
  p->n_tables = info.n_tables;
  p->n_selectors = info.n_selectors;
  p->n_learners = info.n_learners;
  p->n_actions = info.n_actions;
  p->tables = calloc(p->n_tables + 1, sizeof(*p->tables));
  p->learner_keys = calloc(p->n_learners + 1, sizeof(*p->learner_keys));
  p->arguments = calloc(p->n_actions + 1, sizeof(*p->arguments));
  if (!p->tables || !p->learner_keys || !p->arguments) return -ENOMEM;
  status = arguments(p);
  if (!status) status = tables(p);
  if (!status) status = learners(p);
  if (!status) status = rte_swx_pipeline_table_state_get(p->pipeline, &p->state);
  if (!status) {
    status = cswx_inner_open(&p->inner, p->pipeline, p->state, n_headers, header_bytes,
                             metadata_bytes);
  }
  for (uint32_t i = 0; i < p->n_learners && !status; i++) {
    if (!cswx_learner_slots(p, i)) status = -ENOTSUP;
  }
  return status;
}
#endif
