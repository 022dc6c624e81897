#ifndef SHOAL_CFALLOCATE_SHIM_H
#define SHOAL_CFALLOCATE_SHIM_H
// glibc declares these only under _GNU_SOURCE, which Swift's Glibc module is made without.
#include <sys/types.h>
#include <linux/falloc.h>

extern int fallocate(int file, int mode, off_t offset, off_t length);
extern ssize_t copy_file_range(
    int source, off_t *source_offset, int target, off_t *target_offset, size_t length, unsigned int flags);

/// `whence` of lseek(2).
static const int shoal_seek_data = 3;
static const int shoal_seek_hole = 4;
#endif
