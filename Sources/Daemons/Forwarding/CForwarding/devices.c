#define _GNU_SOURCE
#include "cforwarding.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int fail(int descriptor) {
  int error = errno;
  close(descriptor);
  return -error;
}

int cfwd_tap_open(const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  if (strlen(name) >= IFNAMSIZ) return -ENAMETOOLONG;
  strcpy(request.ifr_name, name);
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (tap < 0) return -errno;
  if (ioctl(tap, TUNSETIFF, &request)) return fail(tap);
  int size = CFWD_OFFLOAD_BYTES;
  if (ioctl(tap, TUNSETVNETHDRSZ, &size)) return fail(tap);
  unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  // Kernels before 6.2 have no UDP segmentation on TAPs.
  if (ioctl(tap, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) && ioctl(tap, TUNSETOFFLOAD, tcp))
    return fail(tap);
  if (ioctl(tap, TUNSETPERSIST, 1)) return fail(tap);
  return tap;
}

int cfwd_tap_release(int tap) { return ioctl(tap, TUNSETPERSIST, 0) ? -errno : 0; }

static int configure(const char *name, unsigned long operation, struct ifreq *request) {
  int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return -errno;
  strncpy(request->ifr_name, name, IFNAMSIZ - 1);
  int result = ioctl(socket_, operation, request) ? -errno : 0;
  close(socket_);
  return result;
}

int cfwd_set_mtu(const char *name, int mtu) {
  struct ifreq request = {.ifr_mtu = mtu};
  return configure(name, SIOCSIFMTU, &request);
}

int cfwd_set_mac(const char *name, const uint8_t mac[6]) {
  struct ifreq request = {0};
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  memcpy(request.ifr_hwaddr.sa_data, mac, 6);
  return configure(name, SIOCSIFHWADDR, &request);
}

int cfwd_tap_mac(int tap, uint8_t mac[6]) {
  struct ifreq request = {0};
  if (ioctl(tap, SIOCGIFHWADDR, &request)) return -errno;
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
  return 0;
}

int cfwd_tap_is_up(int tap) {
  // A TAP can be written to when it is up, in whatever namespace it is.
  struct pollfd wish = {.fd = tap, .events = POLLOUT};
  if (poll(&wish, 1, 0) < 0) return -errno;
  if (wish.revents & POLLERR) return -ENODEV;
  return wish.revents & POLLOUT ? 1 : 0;
}

int cfwd_interface_mac(const char *name, uint8_t mac[6]) {
  struct ifreq request = {0};
  int result = configure(name, SIOCGIFHWADDR, &request);
  if (!result) memcpy(mac, request.ifr_hwaddr.sa_data, 6);
  return result;
}

int cfwd_interface_is_up(const char *name) {
  struct ifreq request = {0};
  int result = configure(name, SIOCGIFFLAGS, &request);
  return result ? result : (request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING);
}

int cfwd_enter_namespace(const char *path) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  int result = setns(descriptor, CLONE_NEWNET) ? -errno : 0;
  close(descriptor);
  return result;
}

static int netlink_open(void) {
  int socket_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return socket_ < 0 ? -errno : socket_;
}

int cfwd_set_alias(const char *name, const char *alias) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg info;
    char attributes[NLA_HDRLEN + 256];
  } request = {0};
  size_t length = strlen(alias) + 1;
  if (length > 255) return -ENAMETOOLONG;
  unsigned index = if_nametoindex(name);
  if (!index) return -errno;
  request.header.nlmsg_type = RTM_NEWLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.info.ifi_index = (int)index;
  struct rtattr *attribute = (struct rtattr *)request.attributes;
  attribute->rta_type = IFLA_IFALIAS;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  memcpy(RTA_DATA(attribute), alias, length);
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(request.info)) + RTA_ALIGN(attribute->rta_len);

  int netlink = netlink_open();
  if (netlink < 0) return netlink;
  if (send(netlink, &request, request.header.nlmsg_len, 0) < 0) return fail(netlink);
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } answer;
  if (recv(netlink, &answer, sizeof(answer), 0) < 0) return fail(netlink);
  close(netlink);
  return answer.header.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

// Looks for the alias in one answer: 1 found, 0 not.
static int scan(const struct nlmsghdr *message, const char *alias, char *name) {
  const struct ifinfomsg *info = NLMSG_DATA(message);
  int length = (int)IFLA_PAYLOAD(message);
  const char *own_name = NULL;
  int is_it = 0;
  for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, length); a = RTA_NEXT(a, length)) {
    if (a->rta_type == IFLA_IFNAME) own_name = RTA_DATA(a);
    if (a->rta_type == IFLA_IFALIAS && !strncmp(RTA_DATA(a), alias, RTA_PAYLOAD(a))) is_it = 1;
  }
  if (!is_it || !own_name || strlen(own_name) >= IFNAMSIZ) return 0;
  strcpy(name, own_name);
  return 1;
}

int cfwd_find_alias(const char *alias, char *name) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg info;
  } request = {
    .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
               .nlmsg_type = RTM_GETLINK,
               .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
  int netlink = netlink_open();
  if (netlink < 0) return netlink;
  if (send(netlink, &request, sizeof(request), 0) < 0) return fail(netlink);
  static _Thread_local char buffer[65536] __attribute__((aligned(8)));
  int found = 0;
  for (;;) {
    ssize_t size = recv(netlink, buffer, sizeof(buffer), 0);
    if (size < 0) return fail(netlink);
    unsigned rest = (unsigned)size;
    for (struct nlmsghdr *m = (struct nlmsghdr *)buffer; NLMSG_OK(m, rest);
         m = NLMSG_NEXT(m, rest)) {
      if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR) {
        close(netlink);
        return found;
      }
      if (m->nlmsg_type == RTM_NEWLINK && !found) found = scan(m, alias, name);
    }
  }
}

int cfwd_packet_open(const char *name, int *index) {
  *index = (int)if_nametoindex(name);
  if (!*index) return -errno;
  // Protocol 0: nothing is received before the socket is bound.
  int socket_ = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return -errno;
  int on = 1, buffer = 8 << 20;
  if (setsockopt(socket_, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
      setsockopt(socket_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)))
    return fail(socket_);
  setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
  struct packet_mreq all = {.mr_ifindex = *index, .mr_type = PACKET_MR_PROMISC};
  struct sockaddr_ll address = {
    .sll_family = AF_PACKET, .sll_protocol = __builtin_bswap16(ETH_P_ALL), .sll_ifindex = *index};
  if (setsockopt(socket_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) ||
      bind(socket_, (struct sockaddr *)&address, sizeof(address)))
    return fail(socket_);
  return socket_;
}
