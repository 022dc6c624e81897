#ifndef SHOAL_CFUSE3_SHIM_H
#define SHOAL_CFUSE3_SHIM_H
// _FILE_OFFSET_BITS stays undefined: on LP64 it changes no ABI, and it clashes with the Glibc module.
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
// The kernel's own structures, for replies that libfuse 3.14 cannot express (fuse_open_out).
#include <linux/fuse.h>
#endif
