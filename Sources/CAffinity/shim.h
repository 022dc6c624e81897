#ifndef SHOAL_CAFFINITY_SHIM_H
#define SHOAL_CAFFINITY_SHIM_H
// glibc declares these only under _GNU_SOURCE, which Swift's Glibc module is made without.
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/types.h>

extern int sched_getaffinity(pid_t thread, size_t bytes, cpu_set_t *set);
extern int sched_setaffinity(pid_t thread, size_t bytes, const cpu_set_t *set);
extern int pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *set);

/// `who` of getrusage(2): the calling thread.
static const int shoal_rusage_thread = 1;
#endif
