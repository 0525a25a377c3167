#define _GNU_SOURCE
#include "clivewire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/// Room for frames that others of the namespace receive meanwhile.
enum { RECEIVE_BUFFER = 8 << 20 };

/// Behind both MAC addresses.
enum { TAG_OFFSET = 12, TAG_LENGTH = 4 };

int clw_open(void) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
  if (fd < 0) return -errno;
  int on = 1, size = RECEIVE_BUFFER;
  if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    int error = errno;
    close(fd);
    return -error;
  }
  return fd;
}

int clw_send(int fd, int32_t interface, const void *bytes, uint32_t length) {
  struct sockaddr_ll to = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = interface};
  ssize_t sent;
  do {
    sent = sendto(fd, bytes, length, 0, (struct sockaddr *)&to, sizeof to);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return -errno;
  return sent == (ssize_t)length ? 0 : -EMSGSIZE;
}

/// The tag that came beside a frame, or NULL.
static const struct tpacket_auxdata *tag_of(struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
    const struct tpacket_auxdata *data = (const struct tpacket_auxdata *)CMSG_DATA(c);
    return data->tp_status & TP_STATUS_VLAN_VALID ? data : NULL;
  }
  return NULL;
}

int clw_receive(
    int fd, int timeout, void *bytes, uint32_t capacity, int32_t *interface) {
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  int count;
  do count = poll(&ready, 1, timeout);
  while (count < 0 && errno == EINTR);
  if (count <= 0) return count < 0 ? -errno : 0;

  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
  struct sockaddr_ll from;
  struct iovec part = {.iov_base = bytes, .iov_len = capacity - TAG_LENGTH};
  struct msghdr message = {
      .msg_name = &from,
      .msg_namelen = sizeof from,
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = control,
      .msg_controllen = sizeof control};
  ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  if (message.msg_flags & MSG_TRUNC) return -EMSGSIZE;
  *interface = from.sll_ifindex;
  const struct tpacket_auxdata *data = tag_of(&message);
  if (data == NULL) return (int)length;
  if (length < TAG_OFFSET) return -EBADMSG;
  char *tag = (char *)bytes + TAG_OFFSET;
  memmove(tag + TAG_LENGTH, tag, (size_t)length - TAG_OFFSET);
  uint16_t fields[] = {htons(data->tp_vlan_tpid), htons(data->tp_vlan_tci)};
  memcpy(tag, fields, sizeof fields);
  return (int)length + TAG_LENGTH;
}

/// Switches IPv6 off on an interface, where the kernel has it.
static int silence_ipv6(const char *name) {
  char path[64 + IFNAMSIZ];
  snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : -errno;
  ssize_t written = write(fd, "1", 1);
  int error = errno;
  close(fd);
  return written == 1 ? 0 : -error;
}

int clw_bring_up(const char *name) {
  struct ifreq request = {0};
  if (strlen(name) >= IFNAMSIZ) return -EINVAL;
  strcpy(request.ifr_name, name);
  int status = silence_ipv6(name);
  if (status != 0) return status;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  status = ioctl(fd, SIOCGIFFLAGS, &request);
  if (status == 0) {
    request.ifr_flags = (short)((request.ifr_flags | IFF_UP | IFF_NOARP) & ~IFF_MULTICAST);
    status = ioctl(fd, SIOCSIFFLAGS, &request);
  }
  int error = errno;
  close(fd);
  return status == 0 ? 0 : -error;
}

int clw_index(const char *name) {
  unsigned index = if_nametoindex(name);
  return index == 0 ? -errno : (int)index;
}
