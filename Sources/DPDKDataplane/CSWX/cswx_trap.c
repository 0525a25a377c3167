#ifdef K8SDP_WITH_DPDK
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "cswx_internal.h"

// The engine reads its time with RDTSC, inlined in librte_pipeline. While it
// runs on virtual time, the kernel makes that instruction fault on this thread
// (PR_SET_TSC) and the handler answers in its place.

#if defined(__x86_64__)
static __thread volatile uint64_t virtual_cycles;
static __thread volatile int trapping;
static struct sigaction previous;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void on_fault(int number, siginfo_t *info, void *context) {
  if (trapping) {
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    // A general protection fault has SI_KERNEL and no address, so the
    // instruction itself could be fetched and can be read.
    const uint8_t *code = (const uint8_t *)registers[REG_RIP];
    if (info->si_code == SI_KERNEL && code[0] == 0x0F) {
      int length = code[1] == 0x31 ? 2 : (code[1] == 0x01 && code[2] == 0xF9) ? 3 : 0;
      if (length) {
        registers[REG_RAX] = (greg_t)(virtual_cycles & 0xFFFFFFFFu);
        registers[REG_RDX] = (greg_t)(virtual_cycles >> 32);
        if (length == 3) registers[REG_RCX] = 0;
        registers[REG_RIP] += length;
        return;
      }
    }
  }
  // A real fault belongs to whoever was there before us.
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(number);
  } else {
    signal(number, SIG_DFL);
  }
}

int cswx_enable_virtual_time(void) {
  int mode = 0;
  if (prctl(PR_GET_TSC, &mode, 0, 0, 0)) return -ENOTSUP;
  pthread_mutex_lock(&lock);
  struct sigaction now;
  int status = sigaction(SIGSEGV, NULL, &now) ? -errno : 0;
  if (!status && !((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault)) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    action.sa_sigaction = on_fault;
    sigemptyset(&action.sa_mask);
    previous = now;
    status = sigaction(SIGSEGV, &action, NULL) ? -errno : 0;
  }
  pthread_mutex_unlock(&lock);
  return status;
}

void cswx_trap_enter(uint64_t cycles) {
  virtual_cycles = cycles;
  trapping = 1;
  prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0);
}

void cswx_trap_leave(void) {
  prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
  trapping = 0;
}
#else
int cswx_enable_virtual_time(void) { return -ENOTSUP; }
void cswx_trap_enter(uint64_t cycles) { (void)cycles; }
void cswx_trap_leave(void) {}
#endif
#endif
