#define _GNU_SOURCE // addclosefrom_np, addchdir_np
#include "cchildprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>

static int prepare(posix_spawn_file_actions_t *actions, const int streams[3], const char *folder) {
  for (int number = 0; number < 3; number++) {
    int stream = streams[number];
    int failure = 0;
    if (stream == CCHILD_NULL)
      failure = posix_spawn_file_actions_addopen(actions, number, "/dev/null", O_RDWR, 0);
    else if (stream >= 0)
      failure = posix_spawn_file_actions_adddup2(actions, stream, number);
    if (failure) return failure;
  }
  int failure = posix_spawn_file_actions_addclosefrom_np(actions, 3);
  return failure || !folder ? failure : posix_spawn_file_actions_addchdir_np(actions, folder);
}

int cchild_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                 const int streams[3], const char *folder) {
  posix_spawn_file_actions_t actions;
  int failure = posix_spawn_file_actions_init(&actions);
  if (failure) return failure;
  posix_spawnattr_t attributes;
  failure = posix_spawnattr_init(&attributes);
  if (failure) {
    posix_spawn_file_actions_destroy(&actions);
    return failure;
  }
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  failure = prepare(&actions, streams, folder);
  if (!failure) failure = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}
