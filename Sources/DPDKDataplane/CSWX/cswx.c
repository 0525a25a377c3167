#ifdef K8SDP_WITH_DPDK
#include "cswx_internal.h"

static struct cswx_item *items(cswx *p, int list) { return p->lists[list].items; }
static uint32_t count(cswx *p, int list) { return p->lists[list].count; }

static int done(cswx *p, int status) {
  for (int i = 0; i < 3; i++) p->lists[i].count = 0;
  return status;
}

int cswx_push(cswx *p, int list, const char *text, uint32_t a, uint32_t b) {
  struct cswx_list *l = &p->lists[list];
  if (strlen(text) >= sizeof(l->items->text)) return -EINVAL;
  if (l->count == l->capacity) {
    uint32_t capacity = l->capacity ? 2 * l->capacity : 64;
    struct cswx_item *grown = realloc(l->items, capacity * sizeof(*grown));
    if (!grown) return -ENOMEM;
    l->items = grown;
    l->capacity = capacity;
  }
  struct cswx_item *item = &l->items[l->count++];
  strcpy(item->text, text);
  item->a = a;
  item->b = b;
  return 0;
}

cswx *cswx_create(uint32_t ports) {
  cswx *p = calloc(1, sizeof(*p));
  if (!p) return NULL;
  p->n_ports = ports;
  p->forwarded = calloc(ports, sizeof(uint64_t));
  p->dropped = calloc(CSWX_REASONS, sizeof(uint64_t));
  int status = p->forwarded && p->dropped ? 0 : -ENOMEM;
  if (!status) status = rte_swx_pipeline_config(&p->pipeline, NULL, 0);
  if (!status) status = rte_swx_pipeline_port_in_type_register(p->pipeline, "slots", &cswx_in_ops);
  if (!status) {
    status = rte_swx_pipeline_port_out_type_register(p->pipeline, "slots", &cswx_out_ops);
  }
  if (!status) status = rte_swx_pipeline_port_in_config(p->pipeline, 0, "slots", p);
  for (uint32_t i = 0; i < ports + CSWX_REASONS && !status; i++) {
    struct cswx_out port = {.owner = p, .id = i};
    status = rte_swx_pipeline_port_out_config(p->pipeline, i, "slots", &port);
  }
  if (!status) return p;
  cswx_free(p);
  return NULL;
}

void cswx_free(cswx *p) {
  if (!p) return;
  if (p->pipeline) rte_swx_pipeline_free(p->pipeline);
  for (int i = 0; i < 3; i++) free(p->lists[i].items);
  free(p->tables);
  free(p->learner_keys);
  free(p->arguments);
  free(p->forwarded);
  free(p->dropped);
  free(p);
}

int cswx_struct(cswx *p, const char *name, int last_is_variable) {
  uint32_t n = count(p, CSWX_FIELDS);
  struct rte_swx_field_params *fields = calloc(n + 1, sizeof(*fields));
  if (!fields) return done(p, -ENOMEM);
  for (uint32_t i = 0; i < n; i++) {
    fields[i].name = items(p, CSWX_FIELDS)[i].text;
    fields[i].n_bits = items(p, CSWX_FIELDS)[i].a;
  }
  int status =
    rte_swx_pipeline_struct_type_register(p->pipeline, name, fields, n, last_is_variable);
  free(fields);
  return done(p, status);
}

int cswx_header(cswx *p, const char *name, const char *type) {
  return rte_swx_pipeline_packet_header_register(p->pipeline, name, type);
}

int cswx_metadata(cswx *p, const char *type) {
  return rte_swx_pipeline_packet_metadata_register(p->pipeline, type);
}

int cswx_registers(cswx *p, const char *name, uint32_t size, uint64_t initial) {
  return rte_swx_pipeline_regarray_config(p->pipeline, name, size, initial);
}

int cswx_meters(cswx *p, const char *name, uint32_t size) {
  return rte_swx_pipeline_metarray_config(p->pipeline, name, size);
}

// The texts of a list, as an array that the caller frees.
static const char **texts(cswx *p, int list) {
  const char **all = calloc(count(p, list) + 1, sizeof(*all));
  for (uint32_t i = 0; all && i < count(p, list); i++) all[i] = items(p, list)[i].text;
  return all;
}

int cswx_action(cswx *p, const char *name, const char *arguments) {
  const char **code = texts(p, CSWX_CODE);
  int status = code ? rte_swx_pipeline_action_config(p->pipeline, name, arguments, code,
                                                     count(p, CSWX_CODE))
                    : -ENOMEM;
  free(code);
  return done(p, status);
}

int cswx_apply(cswx *p) {
  const char **code = texts(p, CSWX_CODE);
  int status =
    code ? rte_swx_pipeline_instructions_config(p->pipeline, code, count(p, CSWX_CODE)) : -ENOMEM;
  free(code);
  return done(p, status);
}

// The flags of the actions list: for entries, then for the default.
static int *flags(cswx *p) {
  uint32_t n = count(p, CSWX_ACTIONS);
  int *all = calloc(2 * n + 1, sizeof(*all));
  for (uint32_t i = 0; all && i < n; i++) {
    all[i] = (int)items(p, CSWX_ACTIONS)[i].a;
    all[n + i] = (int)items(p, CSWX_ACTIONS)[i].b;
  }
  return all;
}

int cswx_table(cswx *p, const char *name, const char *default_action, const char *default_arguments,
               int default_is_constant, const char *hash, const char *type, uint32_t size) {
  static const enum rte_swx_table_match_type kinds[] = {
    RTE_SWX_TABLE_MATCH_EXACT, RTE_SWX_TABLE_MATCH_WILDCARD, RTE_SWX_TABLE_MATCH_LPM};
  uint32_t n = count(p, CSWX_FIELDS), n_actions = count(p, CSWX_ACTIONS);
  struct rte_swx_match_field_params *key = calloc(n + 1, sizeof(*key));
  const char **actions = texts(p, CSWX_ACTIONS);
  int *marks = flags(p);
  int status = -ENOMEM;
  if (key && actions && marks) {
    for (uint32_t i = 0; i < n; i++) {
      key[i].name = items(p, CSWX_FIELDS)[i].text;
      key[i].match_type = kinds[items(p, CSWX_FIELDS)[i].a % 3];
    }
    struct rte_swx_pipeline_table_params params = {
      .fields = n ? key : NULL,
      .n_fields = n,
      .action_names = actions,
      .action_is_for_table_entries = marks,
      .action_is_for_default_entry = marks + n_actions,
      .n_actions = n_actions,
      .default_action_name = default_action,
      .default_action_args = default_arguments,
      .default_action_is_const = default_is_constant,
      .hash_func_name = hash};
    status = rte_swx_pipeline_table_config(p->pipeline, name, &params, type, NULL, size);
  }
  free(key);
  free(actions);
  free(marks);
  return done(p, status);
}

int cswx_learner(cswx *p, const char *name, const char *default_action,
                 const char *default_arguments, int default_is_constant, const char *hash,
                 uint32_t size) {
  uint32_t n_actions = count(p, CSWX_ACTIONS), n_timeouts = count(p, CSWX_TIMEOUTS);
  uint32_t timeouts[RTE_SWX_TABLE_LEARNER_N_KEY_TIMEOUTS_MAX] = {0};
  if (n_timeouts > RTE_SWX_TABLE_LEARNER_N_KEY_TIMEOUTS_MAX) return done(p, -EINVAL);
  for (uint32_t i = 0; i < n_timeouts; i++) timeouts[i] = items(p, CSWX_TIMEOUTS)[i].a;
  const char **key = texts(p, CSWX_FIELDS);
  const char **actions = texts(p, CSWX_ACTIONS);
  int *marks = flags(p);
  int status = -ENOMEM;
  if (key && actions && marks) {
    struct rte_swx_pipeline_learner_params params = {
      .field_names = key,
      .n_fields = count(p, CSWX_FIELDS),
      .action_names = actions,
      .action_is_for_table_entries = marks,
      .action_is_for_default_entry = marks + n_actions,
      .n_actions = n_actions,
      .default_action_name = default_action,
      .default_action_args = default_arguments,
      .default_action_is_const = default_is_constant,
      .hash_func_name = hash};
    status =
      rte_swx_pipeline_learner_config(p->pipeline, name, &params, size, timeouts, n_timeouts);
  }
  free(key);
  free(actions);
  free(marks);
  return done(p, status);
}

int cswx_selector(cswx *p, const char *name, const char *group, const char *member,
                  uint32_t groups, uint32_t members) {
  const char **fields = texts(p, CSWX_FIELDS);
  int status = -ENOMEM;
  if (fields) {
    struct rte_swx_pipeline_selector_params params = {
      .group_id_field_name = group,
      .selector_field_names = fields,
      .n_selector_fields = count(p, CSWX_FIELDS),
      .member_id_field_name = member,
      .n_groups_max = groups,
      .n_members_per_group_max = members};
    status = rte_swx_pipeline_selector_config(p->pipeline, name, &params);
  }
  free(fields);
  return done(p, status);
}
#endif
