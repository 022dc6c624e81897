#ifndef SHOAL_CROCKSDB_SHIM_H
#define SHOAL_CROCKSDB_SHIM_H
#include <rocksdb/c.h>
#endif
