#ifndef SHOAL_CISAL_SHIM_H
#define SHOAL_CISAL_SHIM_H
#include <isa-l/crc.h>
#endif
