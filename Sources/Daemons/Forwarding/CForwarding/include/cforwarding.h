/// What Swift cannot reach of Linux: TAP and packet sockets, io_uring, epoll,
/// network namespaces. Results are 0 or more, or a negative errno.
#ifndef CFORWARDING_H
#define CFORWARDING_H

#include <stdint.h>

/// Bytes of the offload header (virtio_net_hdr) before every frame.
enum { CFW_HEADER = 10 };

/// A frame read from or written to a port.
typedef struct {
  /// Offload header and frame.
  void *bytes;
  uint32_t length;
  int32_t fd;
  /// Out: bytes, or a negative errno.
  int32_t result;
  uint8_t is_write;
  /// A read of a packet socket, which keeps VLAN tags beside the frame.
  uint8_t is_socket;
  /// Out, is_socket: whether the frame had a VLAN tag, and its 16 bits.
  uint8_t has_tag;
  uint8_t reserved;
  uint16_t tag;
  uint16_t tag_type;
} cfw_transfer;

/// Carries out many transfers in one system call, or one by one where io_uring is
/// not permitted. File descriptors must be non-blocking.
typedef struct cfw_ring cfw_ring;
/// - Parameter batched: 0 never uses io_uring.
cfw_ring *cfw_ring_create(uint32_t capacity, int batched);
void cfw_ring_free(cfw_ring *ring);
int cfw_ring_is_batched(const cfw_ring *ring);
/// Carries out at most `capacity` transfers; those of one file descriptor in order.
void cfw_ring_run(cfw_ring *ring, cfw_transfer *transfers, uint32_t count);

/// Opens the TAP of this name in the namespace of the calling thread, making it
/// unless it is there. It persists until cfw_tap_delete.
int cfw_tap_open(const char *name);
/// Lets the interface go when the file descriptor is closed.
int cfw_tap_delete(int fd);
/// A file descriptor of the namespace that the TAP is in now.
int cfw_tap_namespace(int fd);
/// The name that the TAP has now: 16 bytes.
int cfw_tap_name(int fd, char *name);

/// A packet socket on the interface with this index, in promiscuous mode.
int cfw_packet_open(int32_t interface);

typedef struct {
  int32_t index;
  uint32_t flags;
  int32_t mtu;
  uint8_t mac[6];
  /// Frames that the kernel did not send by it: of a TAP, those that its queue had no room for.
  uint64_t lost;
} cfw_interface;

/// Frames that a packet socket had no room for since the last call.
uint32_t cfw_packet_lost(int fd);

/// Looks an interface of the calling thread's namespace up.
int cfw_interface_get(const char *name, cfw_interface *out);
int cfw_interface_set_mtu(const char *name, int32_t mtu);
/// - Parameter mac: 6 bytes.
int cfw_interface_set_mac(const char *name, const uint8_t *mac);

/// The inode number of a namespace's file, or 0; namespace_fd -1 is the process's.
uint64_t cfw_namespace_inode(int namespace_fd);
/// A file descriptor of the network namespace at a path; a file of another kind is EINVAL.
int cfw_namespace_open(const char *path);
/// Takes the calling thread into that namespace.
int cfw_namespace_enter(int namespace_fd);
/// Calls the function on a new thread in that namespace, -1 being the process's, and waits
/// for it.
int cfw_namespace_call(int namespace_fd, int (*function)(void *), void *argument);

int cfw_epoll_create(void);
int cfw_epoll_add(int epoll, int fd, uint64_t token);
int cfw_epoll_remove(int epoll, int fd);
/// Fills tokens of what can be read. timeout in milliseconds, -1: none.
int cfw_epoll_wait(int epoll, uint64_t *tokens, int count, int timeout);

int cfw_event_create(void);
void cfw_event_signal(int fd);
void cfw_event_clear(int fd);

void cfw_thread_set_name(const char *name);

#endif
