#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cforwarding.h"

// Room for the one control message that is asked for.
typedef union {
  char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
  struct cmsghdr align;
} control;

struct cfw_ring {
  // -1: no io_uring.
  int fd;
  uint32_t capacity;
  void *memory;
  size_t memory_bytes;
  struct io_uring_sqe *entries;
  size_t entries_bytes;
  uint32_t *submit_tail, *submit_mask, *submit_array;
  uint32_t *complete_head, *complete_tail, *complete_mask;
  struct io_uring_cqe *completions;
  struct msghdr *messages;
  struct iovec *vectors;
  control *controls;
};

static void ring_close(cfw_ring *ring) {
  if (ring->entries) munmap(ring->entries, ring->entries_bytes);
  if (ring->memory) munmap(ring->memory, ring->memory_bytes);
  if (ring->fd >= 0) close(ring->fd);
  ring->entries = NULL;
  ring->memory = NULL;
  ring->fd = -1;
}

static void ring_open(cfw_ring *ring) {
  struct io_uring_params params;
  memset(&params, 0, sizeof(params));
  ring->fd = (int)syscall(SYS_io_uring_setup, ring->capacity, &params);
  if (ring->fd < 0) {
    ring->fd = -1;
    return;
  }
  // Kernels without it (before 5.12) may not know that a TAP can be read without
  // waiting.
  uint32_t needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_NATIVE_WORKERS;
  if ((params.features & needed) != needed) {
    ring_close(ring);
    return;
  }
  size_t submit = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  size_t complete = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  ring->memory_bytes = submit > complete ? submit : complete;
  ring->entries_bytes = params.sq_entries * sizeof(struct io_uring_sqe);
  void *memory = mmap(NULL, ring->memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                      ring->fd, IORING_OFF_SQ_RING);
  void *entries = mmap(NULL, ring->entries_bytes, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
  ring->memory = memory == MAP_FAILED ? NULL : memory;
  ring->entries = entries == MAP_FAILED ? NULL : entries;
  if (!ring->memory || !ring->entries) {
    ring_close(ring);
    return;
  }
  char *base = ring->memory;
  ring->submit_tail = (uint32_t *)(base + params.sq_off.tail);
  ring->submit_mask = (uint32_t *)(base + params.sq_off.ring_mask);
  ring->submit_array = (uint32_t *)(base + params.sq_off.array);
  ring->complete_head = (uint32_t *)(base + params.cq_off.head);
  ring->complete_tail = (uint32_t *)(base + params.cq_off.tail);
  ring->complete_mask = (uint32_t *)(base + params.cq_off.ring_mask);
  ring->completions = (struct io_uring_cqe *)(base + params.cq_off.cqes);
}

cfw_ring *cfw_ring_create(uint32_t capacity, int batched) {
  cfw_ring *ring = calloc(1, sizeof(*ring));
  if (!ring) return NULL;
  ring->fd = -1;
  ring->capacity = capacity;
  ring->messages = calloc(capacity, sizeof(*ring->messages));
  ring->vectors = calloc(capacity, sizeof(*ring->vectors));
  ring->controls = calloc(capacity, sizeof(*ring->controls));
  if (!ring->messages || !ring->vectors || !ring->controls) {
    cfw_ring_free(ring);
    return NULL;
  }
  if (batched) ring_open(ring);
  return ring;
}

void cfw_ring_free(cfw_ring *ring) {
  if (!ring) return;
  ring_close(ring);
  free(ring->messages);
  free(ring->vectors);
  free(ring->controls);
  free(ring);
}

int cfw_ring_is_batched(const cfw_ring *ring) { return ring->fd >= 0; }

static struct msghdr *message(cfw_ring *ring, const cfw_transfer *transfer, uint32_t i) {
  ring->vectors[i] = (struct iovec){.iov_base = transfer->bytes, .iov_len = transfer->length};
  ring->messages[i] = (struct msghdr){
    .msg_iov = &ring->vectors[i],
    .msg_iovlen = 1,
    .msg_control = &ring->controls[i],
    .msg_controllen = sizeof(ring->controls[i]),
  };
  return &ring->messages[i];
}

static void read_tag(cfw_ring *ring, cfw_transfer *transfer, uint32_t i) {
  transfer->has_tag = 0;
  if (transfer->result < 0) return;
  struct msghdr *m = &ring->messages[i];
  for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
    if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
    struct tpacket_auxdata aux;
    memcpy(&aux, CMSG_DATA(c), sizeof(aux));
    if (!(aux.tp_status & TP_STATUS_VLAN_VALID)) continue;
    transfer->has_tag = 1;
    transfer->tag = aux.tp_vlan_tci;
    transfer->tag_type = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : 0x8100;
  }
}

static void run_one(cfw_ring *ring, cfw_transfer *transfer, uint32_t i) {
  ssize_t result;
  do {
    if (transfer->is_write)
      result = write(transfer->fd, transfer->bytes, transfer->length);
    else if (transfer->is_socket)
      result = recvmsg(transfer->fd, message(ring, transfer, i), MSG_DONTWAIT);
    else
      result = read(transfer->fd, transfer->bytes, transfer->length);
  } while (result < 0 && errno == EINTR);
  transfer->result = result < 0 ? -errno : (int32_t)result;
}

static void prepare(cfw_ring *ring, const cfw_transfer *transfer, uint32_t i, uint32_t slot) {
  struct io_uring_sqe *entry = &ring->entries[slot];
  memset(entry, 0, sizeof(*entry));
  entry->fd = transfer->fd;
  entry->user_data = i;
  if (transfer->is_socket && !transfer->is_write) {
    entry->opcode = IORING_OP_RECVMSG;
    entry->addr = (uintptr_t)message(ring, transfer, i);
    entry->len = 1;
    entry->msg_flags = MSG_DONTWAIT;
  } else {
    entry->opcode = transfer->is_write ? IORING_OP_WRITE : IORING_OP_READ;
    entry->addr = (uintptr_t)transfer->bytes;
    entry->len = transfer->length;
    entry->off = (uint64_t)-1;
    // O_NONBLOCK alone lets io_uring wait in the caller's place.
    entry->rw_flags = RWF_NOWAIT;
  }
}

// Takes the completions that are there.
static uint32_t reap(cfw_ring *ring, cfw_transfer *transfers) {
  uint32_t head = *ring->complete_head;
  uint32_t tail = __atomic_load_n(ring->complete_tail, __ATOMIC_ACQUIRE);
  uint32_t reaped = tail - head;
  for (; head != tail; head++) {
    const struct io_uring_cqe *c = &ring->completions[head & *ring->complete_mask];
    transfers[c->user_data].result = c->res;
  }
  __atomic_store_n(ring->complete_head, head, __ATOMIC_RELEASE);
  return reaped;
}

static int run_batched(cfw_ring *ring, cfw_transfer *transfers, uint32_t count) {
  uint32_t tail = *ring->submit_tail;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t slot = (tail + i) & *ring->submit_mask;
    prepare(ring, &transfers[i], i, slot);
    ring->submit_array[slot] = slot;
  }
  __atomic_store_n(ring->submit_tail, tail + count, __ATOMIC_RELEASE);
  uint32_t submitted = 0, reaped = 0;
  while (reaped < count) {
    long n = syscall(SYS_io_uring_enter, ring->fd, count - submitted, count - reaped,
                     IORING_ENTER_GETEVENTS, NULL, 0);
    if (n < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY) return -errno;
    if (n > 0) submitted += (uint32_t)n;
    reaped += reap(ring, transfers);
  }
  return 0;
}

void cfw_ring_run(cfw_ring *ring, cfw_transfer *transfers, uint32_t count) {
  // A single transfer is a plain system call.
  if (count > 1 && ring->fd >= 0) {
    for (uint32_t i = 0; i < count; i++) transfers[i].result = -ECANCELED;
    // The permission to use it can be taken away; frames of this call are then lost.
    if (run_batched(ring, transfers, count)) ring_close(ring);
  } else {
    for (uint32_t i = 0; i < count; i++) run_one(ring, &transfers[i], i);
  }
  for (uint32_t i = 0; i < count; i++)
    if (transfers[i].is_socket && !transfers[i].is_write) read_tag(ring, &transfers[i], i);
}
