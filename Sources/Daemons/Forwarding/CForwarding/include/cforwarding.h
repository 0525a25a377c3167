/// What Swift's Glibc module leaves out of Linux: TAP devices, packet sockets,
/// epoll, many messages a call. Results are 0, a count or a descriptor, or a negative
/// errno.
#ifndef CFORWARDING_H
#define CFORWARDING_H

#include <stddef.h>
#include <stdint.h>

/// struct virtio_net_hdr, host byte order (virtio 1.2, 5.1.6).
typedef struct {
  uint8_t flags, gso_type;
  uint16_t hdr_len, gso_size, csum_start, csum_offset;
} cfwd_offload;

enum { CFWD_OFFLOAD_BYTES = 10, CFWD_NEEDS_CSUM = 1, CFWD_DATA_VALID = 2 };
enum { CFWD_GSO_NONE = 0, CFWD_GSO_TCPV4 = 1, CFWD_GSO_UDP = 3, CFWD_GSO_TCPV6 = 4,
       CFWD_GSO_UDP_L4 = 5, CFWD_GSO_ECN = 0x80 };

/// Makes a TAP of this name in the calling thread's network namespace, or attaches
/// to a persistent one. Frames come and go with a cfwd_offload in front. The device
/// stays when the descriptor is closed.
int cfwd_tap_open(const char *name);
/// The device goes when the descriptor is closed.
int cfwd_tap_release(int tap);
/// Puts a text on the device that stays with it wherever it is moved and whatever it
/// is named.
int cfwd_set_alias(const char *name, const char *alias);
/// The name that the device with this alias has in the calling thread's namespace:
/// 1 found, 0 not. `name` has 16 bytes.
int cfwd_find_alias(const char *alias, char *name);
/// Runs with the calling thread in the network namespace of this file. The thread
/// must end afterwards.
int cfwd_enter_namespace(const char *path);
int cfwd_set_mtu(const char *name, int mtu);
int cfwd_set_mac(const char *name, const uint8_t mac[6]);
/// The hardware address of a TAP, wherever it is.
int cfwd_tap_mac(int tap, uint8_t mac[6]);
/// Whether a TAP is up, wherever it is: 1 or 0; negative when it is gone.
int cfwd_tap_is_up(int tap);

/// A socket for all frames of an interface, with a cfwd_offload in front; those that
/// this host sends itself are left out.
int cfwd_packet_open(const char *name, int *index);
int cfwd_interface_is_up(const char *name);
int cfwd_interface_mac(const char *name, uint8_t mac[6]);

/// One frame and its offload header: `start` points to the header.
typedef struct {
  void *start;
  uint32_t length;
} cfwd_frame;

/// Reads up to `count` frames, each of at most its length, header included; sets the
/// lengths. Returns how many, 0 when there is none now.
int cfwd_receive(int port, int is_socket, cfwd_frame *frames, int count);
/// Sends frames in order. Returns how many the interface has taken.
int cfwd_send(int port, int is_socket, const cfwd_frame *frames, int count);

int cfwd_epoll_make(void);
int cfwd_epoll_add(int epoll, int descriptor, uint64_t tag);
int cfwd_epoll_remove(int epoll, int descriptor);
/// Waits for the first of the descriptors; writes the tags of those that are ready.
int cfwd_epoll_wait(int epoll, uint64_t *tags, int count, int milliseconds);
int cfwd_event_make(void);
void cfwd_event_set(int event);
void cfwd_event_clear(int event);
void cfwd_name_thread(const char *name);

#endif
