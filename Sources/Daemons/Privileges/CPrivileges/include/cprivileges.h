/// The system calls of Linux's capabilities, which Swift cannot reach.
#ifndef CPRIVILEGES_H
#define CPRIVILEGES_H

#include <stdint.h>

/// Lowers the calling thread, and those that it will make, to the capabilities in `keep`
/// (bit n is capability n) that it has, for itself and for every program that it may ever
/// run, and forbids to gain any by running one.
///
/// Returns 0 or a negative errno.
int cpr_keep(uint64_t keep);

#endif
