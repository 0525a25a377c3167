#ifdef K8SDP_WITH_DPDK
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cswx_internal.h"

// The engine reads the processor's cycle counter, inlined in librte_pipeline, and
// hands what it read to the learner tables in librte_table. On virtual time, the
// calls between the two libraries go through the functions below, which put the
// time of the run in its place: their entries in librte_pipeline's procedure
// linkage table are changed once for the process. A run without virtual time
// passes through unchanged.

// Cycles of the run of this thread; 0 is the processor's own time.
static __thread uint64_t virtual_cycles;

static uint64_t at(uint64_t time) { return virtual_cycles ? virtual_cycles : time; }

static uint32_t lookup(void *table, void *mailbox, uint64_t time, uint8_t **key,
                       uint64_t *action_id, uint8_t **action_data, size_t *entry_id, int *hit) {
  return rte_swx_table_learner_lookup(table, mailbox, at(time), key, action_id, action_data,
                                      entry_id, hit);
}

static uint32_t add(void *table, void *mailbox, uint64_t time, uint64_t action_id,
                    uint8_t *action_data, uint32_t timeout_id) {
  return rte_swx_table_learner_add(table, mailbox, at(time), action_id, action_data, timeout_id);
}

static void rearm(void *table, void *mailbox, uint64_t time) {
  rte_swx_table_learner_rearm(table, mailbox, at(time));
}

static void rearm_new(void *table, void *mailbox, uint64_t time, uint32_t timeout_id) {
  rte_swx_table_learner_rearm_new(table, mailbox, at(time), timeout_id);
}

static const struct {
  const char *name;
  void *function;
} hooks[] = {
  {"rte_swx_table_learner_lookup", (void *)lookup},
  {"rte_swx_table_learner_add", (void *)add},
  {"rte_swx_table_learner_rearm", (void *)rearm},
  {"rte_swx_table_learner_rearm_new", (void *)rearm_new},
};
#define HOOKS (sizeof(hooks) / sizeof(hooks[0]))

// System V ABI: relocations of the procedure linkage table are of one type.
#if defined(__x86_64__)
#define JUMP_SLOT R_X86_64_JUMP_SLOT
#elif defined(__aarch64__)
#define JUMP_SLOT R_AARCH64_JUMP_SLOT
#endif

#ifdef JUMP_SLOT
static int replace(void **slot, void *function, int is_read_only) {
  uintptr_t page = (uintptr_t)slot & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
  size_t bytes = (uintptr_t)(slot + 1) - page;
  if (mprotect((void *)page, bytes, PROT_READ | PROT_WRITE)) return -errno;
  *slot = function;
  // Debian binds at start and seals the table (PT_GNU_RELRO).
  if (is_read_only && mprotect((void *)page, bytes, PROT_READ)) return -errno;
  return 0;
}

static int hook_library(struct dl_phdr_info *info, size_t size, void *count) {
  (void)size;
  if (!strstr(info->dlpi_name, "librte_pipeline.so")) return 0;
  const ElfW(Dyn) *dynamic = NULL;
  int is_read_only = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
      dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) is_read_only = 1;
  }
  if (!dynamic) return 0;
  const ElfW(Rela) *relocations = NULL;
  const ElfW(Sym) *symbols = NULL;
  const char *strings = NULL;
  size_t relocation_bytes = 0;
  for (; dynamic->d_tag != DT_NULL; dynamic++) {
    switch (dynamic->d_tag) {
      case DT_JMPREL: relocations = (const void *)dynamic->d_un.d_ptr; break;
      case DT_PLTRELSZ: relocation_bytes = dynamic->d_un.d_val; break;
      case DT_SYMTAB: symbols = (const void *)dynamic->d_un.d_ptr; break;
      case DT_STRTAB: strings = (const void *)dynamic->d_un.d_ptr; break;
      default: break;
    }
  }
  if (!relocations || !symbols || !strings) return 0;
  for (size_t i = 0; i < relocation_bytes / sizeof(*relocations); i++) {
    if (ELF64_R_TYPE(relocations[i].r_info) != JUMP_SLOT) continue;
    const char *name = strings + symbols[ELF64_R_SYM(relocations[i].r_info)].st_name;
    for (size_t h = 0; h < HOOKS; h++) {
      if (strcmp(name, hooks[h].name)) continue;
      void **slot = (void **)(info->dlpi_addr + relocations[i].r_offset);
      if (replace(slot, hooks[h].function, is_read_only) == 0) ++*(size_t *)count;
    }
  }
  return 1;
}

int cswx_enable_virtual_time(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static size_t count;
  pthread_mutex_lock(&lock);
  if (!count) dl_iterate_phdr(hook_library, &count);
  int status = count == HOOKS ? 0 : -ENOTSUP;
  pthread_mutex_unlock(&lock);
  return status;
}
#else
int cswx_enable_virtual_time(void) { return -ENOTSUP; }
#endif

void cswx_time_set(uint64_t cycles) { virtual_cycles = cycles; }
#endif
