#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cnetlink.h"

int cnl_namespace_open(const char *path) {
  // Non-blocking: a path may name a FIFO.
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET) return fd;
  close(fd);
  return -EINVAL;
}

typedef struct {
  int namespace_fd;
  int (*function)(void *);
  void *argument;
  int result;
} call;

static void *run(void *argument) {
  call *the = argument;
  the->result =
    setns(the->namespace_fd, CLONE_NEWNET) ? -errno : the->function(the->argument);
  return NULL;
}

int cnl_namespace_call(int namespace_fd, int (*function)(void *), void *argument) {
  call the = {.namespace_fd = namespace_fd, .function = function, .argument = argument};
  pthread_t thread;
  int status = pthread_create(&thread, NULL, run, &the);
  if (status) return -status;
  pthread_join(thread, NULL);
  return the.result;
}

static int configure(int fd, int32_t milliseconds) {
  struct timeval patience = {
    .tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience))) return -errno;
  int one = 1;
  if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one))) return -errno;
  if (setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one))) return -errno;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  return bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

static int open_here(void *argument) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  int status = configure(fd, *(int32_t *)argument);
  if (!status) return fd;
  close(fd);
  return status;
}

int cnl_socket_open(int namespace_fd, int32_t milliseconds) {
  // A socket stays in the namespace that it was made in.
  return namespace_fd < 0 ? open_here(&milliseconds)
                          : cnl_namespace_call(namespace_fd, open_here, &milliseconds);
}
