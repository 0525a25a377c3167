#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cforwarding.h"

// Linux 6.2; older kernels refuse them.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static void set_name(struct ifreq *request, const char *name) {
  memset(request, 0, sizeof(*request));
  snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
}

static int tap_configure(int fd, const char *name) {
  struct ifreq request;
  set_name(&request, name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(fd, TUNSETIFF, &request)) return -errno;
  int header = CFW_HEADER;
  if (ioctl(fd, TUNSETVNETHDRSZ, &header)) return -errno;
  unsigned offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (ioctl(fd, TUNSETOFFLOAD, offload | TUN_F_USO4 | TUN_F_USO6) &&
      ioctl(fd, TUNSETOFFLOAD, offload))
    return -errno;
  if (ioctl(fd, TUNSETPERSIST, 1)) return -errno;
  return 0;
}

int cfw_tap_open(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  int status = tap_configure(fd, name);
  if (!status) return fd;
  close(fd);
  return status;
}

int cfw_tap_delete(int fd) { return ioctl(fd, TUNSETPERSIST, 0) ? -errno : 0; }

int cfw_tap_namespace(int fd) {
  int namespace_fd = ioctl(fd, TUNGETDEVNETNS, 0);
  return namespace_fd < 0 ? -errno : namespace_fd;
}

int cfw_tap_name(int fd, char *name) {
  struct ifreq request;
  memset(&request, 0, sizeof(request));
  if (ioctl(fd, TUNGETIFF, &request)) return -errno;
  memcpy(name, request.ifr_name, IFNAMSIZ);
  return 0;
}

// Some tens of the largest frames.
static const int socket_buffer = 4 << 20;

static int packet_configure(int fd, int32_t interface) {
  int one = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one))) return -errno;
  if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one))) return -errno;
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one))) return -errno;
  int bytes = socket_buffer;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes))) return -errno;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes))) return -errno;
  struct packet_mreq promiscuous = {.mr_ifindex = interface, .mr_type = PACKET_MR_PROMISC};
  if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)))
    return -errno;
  struct sockaddr_ll address = {
    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = interface};
  return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

int cfw_packet_open(int32_t interface) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int status = packet_configure(fd, interface);
  if (!status) return fd;
  close(fd);
  return status;
}

uint32_t cfw_packet_lost(int fd) {
  // The kernel begins anew with each call.
  struct tpacket_stats stats;
  socklen_t length = sizeof(stats);
  memset(&stats, 0, sizeof(stats));
  return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) ? 0 : stats.tp_drops;
}

static uint64_t lost(const struct nlmsghdr *message) {
  const struct ifinfomsg *info = NLMSG_DATA(message);
  int length = (int)message->nlmsg_len - NLMSG_LENGTH(sizeof(*info));
  for (const struct rtattr *item = IFLA_RTA(info); RTA_OK(item, length);
       item = RTA_NEXT(item, length)) {
    if (item->rta_type != IFLA_STATS64) continue;
    struct rtnl_link_stats64 stats;
    memset(&stats, 0, sizeof(stats));
    size_t size = RTA_PAYLOAD(item);
    memcpy(&stats, RTA_DATA(item), size < sizeof(stats) ? size : sizeof(stats));
    return stats.tx_dropped;
  }
  return 0;
}

// 0 where the kernel does not say.
static uint64_t interface_lost(int32_t interface) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg info;
  } request;
  memset(&request, 0, sizeof(request));
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.info.ifi_index = interface;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return 0;
  _Alignas(struct nlmsghdr) char answer[32768];
  ssize_t length = -1;
  if (send(fd, &request, sizeof(request), 0) == sizeof(request))
    length = recv(fd, answer, sizeof(answer), 0);
  close(fd);
  const struct nlmsghdr *message = (const struct nlmsghdr *)answer;
  if (length < 0 || !NLMSG_OK(message, length) || message->nlmsg_type != RTM_NEWLINK) return 0;
  return lost(message);
}

static int get(int fd, const char *name, cfw_interface *out) {
  struct ifreq request;
  set_name(&request, name);
  if (ioctl(fd, SIOCGIFINDEX, &request)) return -errno;
  out->index = request.ifr_ifindex;
  if (ioctl(fd, SIOCGIFFLAGS, &request)) return -errno;
  out->flags = (uint16_t)request.ifr_flags;
  if (ioctl(fd, SIOCGIFMTU, &request)) return -errno;
  out->mtu = request.ifr_mtu;
  if (ioctl(fd, SIOCGIFHWADDR, &request)) return -errno;
  memcpy(out->mac, request.ifr_hwaddr.sa_data, sizeof(out->mac));
  out->lost = interface_lost(out->index);
  return 0;
}

int cfw_interface_get(const char *name, cfw_interface *out) {
  memset(out, 0, sizeof(*out));
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int status = get(fd, name, out);
  close(fd);
  return status;
}

static int change(unsigned long what, struct ifreq *request) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int status = ioctl(fd, what, request) ? -errno : 0;
  close(fd);
  return status;
}

int cfw_interface_set_mtu(const char *name, int32_t mtu) {
  struct ifreq request;
  set_name(&request, name);
  request.ifr_mtu = mtu;
  return change(SIOCSIFMTU, &request);
}

int cfw_interface_set_mac(const char *name, const uint8_t *mac) {
  struct ifreq request;
  set_name(&request, name);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  memcpy(request.ifr_hwaddr.sa_data, mac, 6);
  return change(SIOCSIFHWADDR, &request);
}
