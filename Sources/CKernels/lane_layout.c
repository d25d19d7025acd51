#include "lane_layout.h"

#define LANES 16
// Elements of an image that are read before the next image's: a cache line.
#define RUN 16

void rene_to_lanes(float *to, const float *from, ptrdiff_t stride, int lanes, ptrdiff_t count) {
    for (ptrdiff_t first = 0; first < count; first += RUN) {
        ptrdiff_t end = first + RUN < count ? first + RUN : count;
        for (int lane = 0; lane < LANES; lane++) {
            const float *image = from + lane * stride;
            if (lane < lanes)
                for (ptrdiff_t p = first; p < end; p++) to[p * LANES + lane] = image[p];
            else
                for (ptrdiff_t p = first; p < end; p++) to[p * LANES + lane] = 0;
        }
    }
}

void rene_from_lanes(float *to, const float *from, ptrdiff_t stride, int lanes, ptrdiff_t count) {
    for (ptrdiff_t first = 0; first < count; first += RUN) {
        ptrdiff_t end = first + RUN < count ? first + RUN : count;
        for (int lane = 0; lane < lanes; lane++)
            for (ptrdiff_t p = first; p < end; p++) to[lane * stride + p] = from[p * LANES + lane];
    }
}
