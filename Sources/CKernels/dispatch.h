#pragma once

// The instruction sets that the loops are built for, in order of preference.
enum { RENE_BASELINE = 0, RENE_AVX2 = 1, RENE_AVX512 = 2 };

// The best set that both the processor and RENE_KERNELS allow, found once.
int rene_vector_set(void);
