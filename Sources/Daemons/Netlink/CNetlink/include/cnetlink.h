/// What Swift cannot reach of rtnetlink and network namespaces.
/// Results are 0 or more, or a negative errno.
#ifndef CNETLINK_H
#define CNETLINK_H

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>

/// The bits of an attribute's type that are no flags.
enum { CNL_ATTRIBUTE_TYPE = 0x3FFF };

/// A socket of rtnetlink in a namespace; -1 is that of the calling thread. It answers
/// with the kernel's own words about errors, and waits for an answer that long at most.
int cnl_socket_open(int namespace_fd, int32_t milliseconds);

/// Opens a network namespace by its path; a file of another kind is EINVAL.
int cnl_namespace_open(const char *path);
/// Calls the function on a new thread in that namespace and waits for it.
/// - Returns: what the function returns, or a negative errno when it was not called.
int cnl_namespace_call(int namespace_fd, int (*function)(void *), void *argument);

#endif
