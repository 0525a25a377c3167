#ifdef K8SDP_WITH_DPDK
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "cswx_internal.h"
#include <rte_memory.h>

// Without hugetlbfs, EAL 22.11 takes its memory from a memfd, which most systems
// do not put on transparent huge pages: every look-up in a large table then waits
// for the page walk. Anonymous memory can have them, so it takes the place of the
// memfd before tables are built. Only what EAL has touched so far is copied.

static int copy_resident(uint8_t *to, uint8_t *from, size_t bytes, size_t page) {
  size_t pages = bytes / page;
  unsigned char *resident = malloc(pages);
  if (!resident) return -ENOMEM;
  int status = mincore(from, bytes, resident) ? -errno : 0;
  for (size_t i = 0; i < pages && !status; i++) {
    if (resident[i] & 1) memcpy(to + i * page, from + i * page, page);
  }
  free(resident);
  return status;
}

static int move(const struct rte_memseg_list *list, void *unused) {
  (void)unused;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (list->external || !list->base_va || list->len % page) return 0;
  uint8_t *new = mmap(NULL, list->len, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (new == MAP_FAILED) return 0;
  if (copy_resident(new, list->base_va, list->len, page) ||
      mremap(new, list->len, list->len, MREMAP_MAYMOVE | MREMAP_FIXED, list->base_va) == MAP_FAILED)
    munmap(new, list->len);
  else
    madvise(list->base_va, list->len, MADV_HUGEPAGE);
  return 0;
}

// Best effort: where any of it is not possible, memory stays as EAL made it.
void cswx_memory_use_huge_pages(void) { rte_memseg_list_walk(move, NULL); }
#endif
