#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cforwarding.h"

int cfw_epoll_create(void) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int cfw_epoll_add(int epoll, int fd, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int cfw_epoll_remove(int epoll, int fd) {
  return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL) ? -errno : 0;
}

int cfw_epoll_wait(int epoll, uint64_t *tokens, int count, int timeout) {
  enum { MOST = 64 };
  struct epoll_event events[MOST];
  int found = epoll_wait(epoll, events, count < MOST ? count : MOST, timeout);
  if (found < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < found; i++) tokens[i] = events[i].data.u64;
  return found;
}

int cfw_event_create(void) {
  int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

// Neither can fail in a way that matters: a full counter is a signal, too.
void cfw_event_signal(int fd) {
  if (eventfd_write(fd, 1)) return;
}

void cfw_event_clear(int fd) {
  eventfd_t value;
  if (eventfd_read(fd, &value)) return;
}

void cfw_thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }
