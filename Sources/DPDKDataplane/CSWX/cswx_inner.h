// A mirror of the head of `struct rte_swx_pipeline` and of `struct thread` in
// DPDK 22.11 (rte_swx_pipeline_internal.h), as far as needed to forget stale
// headers: the engine keeps pointers into the buffers of earlier frames.
// cswx_inner_open compares it with what the public API says before use.
#ifndef CSWX_INNER_H
#define CSWX_INNER_H

#include <rte_swx_pipeline.h>

struct cswx_inner_list {
  void *first, **last;
};

struct cswx_inner_header {
  uint8_t *storage;
  uint32_t bytes;
};

struct cswx_inner_thread {
  struct rte_swx_pkt packet;
  uint8_t *cursor;
  uint32_t *mirroring_slots;
  uint64_t mirroring_mask;
  int recirculate;
  uint32_t pass;
  uint8_t **structs;
  struct cswx_inner_header *headers;
  void *headers_out;
  uint8_t *header_storage, *header_out_storage;
  uint64_t valid_headers;
  uint32_t headers_out_count;
  uint8_t *metadata;
  void *tables, *selectors, *learners, *table_state;
  uint64_t action;
  size_t entry;
  int hit;
  uint32_t learner;
  uint64_t time;
  void *extern_objects, *extern_functions;
  void *instruction, *return_to;
};

struct cswx_inner_pipeline {
  char name[RTE_SWX_NAME_SIZE];
  struct cswx_inner_list lists_a[10];
  void *metadata_type;
  uint32_t metadata_struct;
  struct cswx_inner_list lists_b[8];
  void *in, *out, *mirroring, *action_instructions, *action_functions;
  void *table_state;
  void *table_stats, *selector_stats, *learner_stats, *hash_functions;
  void *registers, *meters, *instructions, *instruction_data, *instruction_table;
  struct cswx_inner_thread threads[16];
};

struct cswx_inner {
  struct cswx_inner_pipeline *pipeline;
  uint32_t n_headers, header_bytes, metadata_bytes;
};

int cswx_inner_open(struct cswx_inner *inner, struct rte_swx_pipeline *pipeline, void *table_state,
                    uint32_t n_headers, uint32_t header_bytes, uint32_t metadata_bytes);
// Points every header at the thread's own storage.
void cswx_inner_forget(struct cswx_inner *inner);
// Fills metadata and that storage with one byte.
void cswx_inner_fill(struct cswx_inner *inner, uint8_t value);

#endif
