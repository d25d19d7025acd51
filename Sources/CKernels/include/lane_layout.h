#pragma once
#include <stddef.h>

// Between images one after the other and the layout of lanes.h, for one channel of one block: `lanes` images of `count`
// elements, `stride` elements from one image to the next, to and from to[count][16]. Lanes beyond `lanes` are zero.

void rene_to_lanes(float *to, const float *from, ptrdiff_t stride, int lanes, ptrdiff_t count);

void rene_from_lanes(float *to, const float *from, ptrdiff_t stride, int lanes, ptrdiff_t count);
