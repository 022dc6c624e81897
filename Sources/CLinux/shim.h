#ifndef SHOAL_CLINUX_SHIM_H
#define SHOAL_CLINUX_SHIM_H
// The kernel's own interface: system call numbers, flags and structures that the Glibc module leaves out.
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

long syscall(long number, ...);

// One system call. Answers its result, or minus its errno: syscall(2) is variadic, which Swift cannot import.
static inline long linux_call(long number, long a, long b, long c, long d, long e, long f) {
    long result = syscall(number, a, b, c, d, e, f);
    return result == -1 ? -(long)errno : result;
}

// Flags that differ between architectures and hide behind _GNU_SOURCE.
static const int linux_o_direct = __O_DIRECT;
static const int linux_o_path = __O_PATH;
static const int linux_o_noatime = __O_NOATIME;
static const int linux_o_tmpfile = __O_TMPFILE | __O_DIRECTORY;
#endif
