#pragma once

#include <sys/types.h>

/// Not a descriptor: the stream of this process, or /dev/null.
enum { CCHILD_INHERITED = -1, CCHILD_NULL = -2 };

/// posix_spawn(3) of a program that has three streams and no other descriptors, blocks no signals
/// and takes SIGPIPE.
///
/// - streams: descriptors for 0, 1 and 2.
/// - folder: where it is run; NULL is that of this process.
/// Returns errno.
int cchild_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[],
                 const int streams[3], const char *folder);
