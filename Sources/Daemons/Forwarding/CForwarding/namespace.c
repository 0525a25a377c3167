#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cforwarding.h"

uint64_t cfw_namespace_inode(int namespace_fd) {
  struct stat status;
  int failed = namespace_fd < 0 ? stat("/proc/self/ns/net", &status) : fstat(namespace_fd, &status);
  return failed ? 0 : status.st_ino;
}

int cfw_namespace_open(const char *path) {
  // Non-blocking: a path may name a FIFO.
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -errno;
  if (ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET) return fd;
  close(fd);
  return -EINVAL;
}

int cfw_namespace_enter(int namespace_fd) {
  return setns(namespace_fd, CLONE_NEWNET) ? -errno : 0;
}

struct call {
  int namespace_fd;
  int (*function)(void *);
  void *argument;
  int result;
};

static void *enter(void *argument) {
  struct call *call = argument;
  int status = call->namespace_fd < 0 ? 0 : cfw_namespace_enter(call->namespace_fd);
  call->result = status ? status : call->function(call->argument);
  return NULL;
}

// The thread ends, so nobody else is ever in the wrong namespace.
int cfw_namespace_call(int namespace_fd, int (*function)(void *), void *argument) {
  struct call call = {namespace_fd, function, argument, 0};
  pthread_t thread;
  int status = pthread_create(&thread, NULL, enter, &call);
  if (status) return -status;
  pthread_join(thread, NULL);
  return call.result;
}
