#define _GNU_SOURCE
#include "cforwarding.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BURST = 64 };

static int receive_messages(int port, cfwd_frame *frames, int count) {
  struct mmsghdr messages[BURST];
  struct iovec vectors[BURST];
  if (count > BURST) count = BURST;
  for (int i = 0; i < count; i++) {
    vectors[i] = (struct iovec){.iov_base = frames[i].start, .iov_len = frames[i].length};
    messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[i], .msg_iovlen = 1}};
  }
  int got = recvmmsg(port, messages, (unsigned)count, MSG_DONTWAIT | MSG_TRUNC, NULL);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  for (int i = 0; i < got; i++) frames[i].length = messages[i].msg_len;
  return got;
}

int cfwd_receive(int port, int is_socket, cfwd_frame *frames, int count) {
  if (is_socket) return receive_messages(port, frames, count);
  for (int i = 0; i < count; i++) {
    ssize_t size = read(port, frames[i].start, frames[i].length);
    if (size < 0) {
      if (errno == EINTR) return i;
      return i ? i : errno == EAGAIN ? 0 : -errno;
    }
    frames[i].length = (uint32_t)size;
  }
  return count;
}

int cfwd_send(int port, int is_socket, const cfwd_frame *frames, int count) {
  if (is_socket) {
    struct mmsghdr messages[BURST];
    struct iovec vectors[BURST];
    if (count > BURST) count = BURST;
    for (int i = 0; i < count; i++) {
      vectors[i] = (struct iovec){.iov_base = frames[i].start, .iov_len = frames[i].length};
      messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[i], .msg_iovlen = 1}};
    }
    int sent = sendmmsg(port, messages, (unsigned)count, MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
  }
  for (int i = 0; i < count; i++) {
    ssize_t size;
    do {
      size = write(port, frames[i].start, frames[i].length);
    } while (size < 0 && errno == EINTR);
    if (size < 0) return i ? i : -errno;
  }
  return count;
}

int cfwd_epoll_make(void) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  return epoll < 0 ? -errno : epoll;
}

int cfwd_epoll_add(int epoll, int descriptor, uint64_t tag) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = tag}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) ? -errno : 0;
}

int cfwd_epoll_remove(int epoll, int descriptor) {
  return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL) ? -errno : 0;
}

int cfwd_epoll_wait(int epoll, uint64_t *tags, int count, int milliseconds) {
  struct epoll_event events[BURST];
  int ready = epoll_wait(epoll, events, count < BURST ? count : BURST, milliseconds);
  if (ready < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < ready; i++) tags[i] = events[i].data.u64;
  return ready;
}

int cfwd_event_make(void) {
  int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return event < 0 ? -errno : event;
}

void cfwd_event_set(int event) {
  uint64_t one = 1;
  while (write(event, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

void cfwd_event_clear(int event) {
  uint64_t count;
  while (read(event, &count, sizeof(count)) < 0 && errno == EINTR) {
  }
}

void cfwd_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
