#define BODY "vectors_half_body.h"
#include "vectors_sets.h"

DISPATCH(void, rene_round_half, (float *x, size_t n), (x, n))
DISPATCH(void, rene_round_bfloat16, (float *x, size_t n), (x, n))
DISPATCH(void, rene_to_half, (uint16_t *y, const float *x, size_t n), (y, x, n))
DISPATCH(void, rene_to_bfloat16, (uint16_t *y, const float *x, size_t n), (y, x, n))
DISPATCH(void, rene_from_half, (float *y, const uint16_t *x, size_t n), (y, x, n))
DISPATCH(void, rene_from_bfloat16, (float *y, const uint16_t *x, size_t n), (y, x, n))
