/// Frames into network interfaces and out of them, as the kernel's side of a TAP sees
/// them. Results are 0 or more, or a negative errno.
#ifndef CLIVEWIRE_H
#define CLIVEWIRE_H

#include <stdint.h>

/// A packet socket on all interfaces of the namespace. It receives what they receive,
/// not what is sent through them.
int clw_open(void);

/// Sends a frame through the interface with this index.
int clw_send(int fd, int32_t interface, const void *bytes, uint32_t length);

/// Takes the next frame that an interface received.
///
/// - Parameters:
///   - timeout: milliseconds to wait for one.
///   - capacity: four bytes more than any frame has, for a VLAN tag that the kernel
///     hands over beside the frame.
/// - Returns: its length; 0 when none came within the timeout.
int clw_receive(
    int fd, int timeout, void *bytes, uint32_t capacity, int32_t *interface);

/// Brings an interface up on which the kernel itself says nothing: no IPv6, no ARP, no
/// multicast.
int clw_bring_up(const char *name);

/// The index of an interface of this namespace.
int clw_index(const char *name);

#endif
