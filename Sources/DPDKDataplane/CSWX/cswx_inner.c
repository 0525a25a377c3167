#ifdef K8SDP_WITH_DPDK
#include "cswx_internal.h"

// Struct 0 is the action's data; headers follow, since there are no externs.
#define FIRST_HEADER 1u

int cswx_inner_open(struct cswx_inner *inner, struct rte_swx_pipeline *pipeline, void *table_state,
                    uint32_t n_headers, uint32_t header_bytes, uint32_t metadata_bytes) {
  struct cswx_inner_pipeline *p = (struct cswx_inner_pipeline *)pipeline;
  inner->pipeline = p;
  inner->n_headers = n_headers;
  inner->header_bytes = header_bytes;
  inner->metadata_bytes = metadata_bytes;
  if (p->table_state != table_state) return -ENOTSUP;
  if (p->metadata_struct != FIRST_HEADER + n_headers) return -ENOTSUP;
  for (int i = 0; i < 16; i++) {
    struct cswx_inner_thread *t = &p->threads[i];
    if (!t->structs || !t->headers || !t->metadata || !t->header_storage) return -ENOTSUP;
    if (t->structs[p->metadata_struct] != t->metadata) return -ENOTSUP;
    if (t->instruction != p->instructions) return -ENOTSUP;
    uint8_t *storage = t->header_storage;
    for (uint32_t h = 0; h < n_headers; h++) {
      if (t->headers[h].storage != storage || t->structs[FIRST_HEADER + h] != storage) {
        return -ENOTSUP;
      }
      storage += t->headers[h].bytes;
    }
    if (storage != t->header_storage + header_bytes) return -ENOTSUP;
  }
  return 0;
}

void cswx_inner_forget(struct cswx_inner *inner) {
  for (int i = 0; i < 16; i++) {
    struct cswx_inner_thread *t = &inner->pipeline->threads[i];
    for (uint32_t h = 0; h < inner->n_headers; h++) {
      t->structs[FIRST_HEADER + h] = t->headers[h].storage;
    }
  }
}

void cswx_inner_fill(struct cswx_inner *inner, uint8_t value) {
  for (int i = 0; i < 16; i++) {
    struct cswx_inner_thread *t = &inner->pipeline->threads[i];
    memset(t->header_storage, value, inner->header_bytes);
    memset(t->metadata, value, inner->metadata_bytes);
  }
}
#endif
