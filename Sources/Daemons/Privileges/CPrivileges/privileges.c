#include "cprivileges.h"

#ifdef __linux__

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int cpr_keep(uint64_t keep) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -errno;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) return -errno;
  if (data[CAP_TO_INDEX(CAP_SETPCAP)].effective & CAP_TO_MASK(CAP_SETPCAP)) {
    // The first number that the kernel does not know ends it.
    for (unsigned long number = 0; number < 64; number++) {
      int state = prctl(PR_CAPBSET_READ, number, 0, 0, 0);
      if (state < 0) break;
      if (state == 0 || keep >> number & 1) continue;
      if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0)) return -errno;
    }
  }
  for (int word = 0; word < 2; word++) {
    data[word].permitted &= (uint32_t)(keep >> (32 * word));
    data[word].effective &= data[word].permitted;
    data[word].inheritable = 0;
  }
  return syscall(SYS_capset, &header, data) ? -errno : 0;
}

#else

int cpr_keep(uint64_t keep) {
  (void)keep;
  return 0;
}

#endif
