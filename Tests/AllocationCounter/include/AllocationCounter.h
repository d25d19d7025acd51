/// Counts the allocations of the whole process while it is switched on. Stands in front of the functions of the C library
/// in an executable that links it.
#pragma once

void allocation_counter_start(void);
/// Number of allocations since the start. With ALLOCATION_TRACE in the environment, the first 20 have been written to
/// standard error with their callers.
long allocation_counter_stop(void);
