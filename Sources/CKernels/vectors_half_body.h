#include "vectors_lanes.h"

#define U NAME(words)
#define H NAME(shorts)
typedef uint32_t U __attribute__((ext_vector_type(LANES)));
typedef uint16_t H __attribute__((ext_vector_type(LANES)));

#define to_half NAME(to_half)
#define from_half NAME(from_half)
#define to_bfloat16 NAME(to_bfloat16)
#define from_bfloat16 NAME(from_bfloat16)

#if LANES == 16
INLINE U to_half(V x) {
    return (U)_mm512_cvtepu16_epi32(_mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE V from_half(U h) { return (V)_mm512_cvtph_ps((__m256i)__builtin_convertvector(h, H)); }
#elif LANES == 8 && defined(__x86_64__)
INLINE U to_half(V x) { return (U)_mm256_cvtepu16_epi32(_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT)); }
INLINE V from_half(U h) { return (V)_mm256_cvtph_ps((__m128i)__builtin_convertvector(h, H)); }
#else
// To the nearest, ties to even. Adding ½ leaves a denormal half, a multiple of 2⁻²⁴, in the lowest bits; for the rest
// the carry of the rounding runs into the exponent, as it should.
INLINE U to_half(V x) {
    U bits = (U)x, size = bits & 0x7fffffff, sign = (bits >> 16) & 0x8000;
    U normal = (size + 0xfff + ((size >> 13) & 1) - 0x38000000) >> 13;
    normal = size >= 0x47800000 ? (U)(0x7c00) : normal;
    U denormal = (U)((V)size + 0.5f) - 0x3f000000;
    U invalid = 0x7e00 | ((size >> 13) & 0x3ff);
    U h = size < 0x38800000 ? denormal : normal;
    return sign | (size > 0x7f800000 ? invalid : h);
}
INLINE V from_half(U h) {
    U size = h & 0x7fff, sign = (h & 0x8000) << 16;
    U bits = (size << 13) + 0x38000000;
    bits = size >= 0x7c00 ? bits + 0x38000000 : bits;
    bits = size > 0x7c00 ? bits | 0x400000 : bits;
    bits = size < 0x400 ? (U)(__builtin_convertvector(size, V) * 5.9604644775390625e-08f) : bits;
    return (V)(bits | sign);
}
#endif

INLINE U to_bfloat16(V x) {
    U bits = (U)x;
    U rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return (bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40 : rounded;
}
INLINE V from_bfloat16(U b) { return (V)(b << 16); }

INLINE U NAME(fetch_shorts)(const uint16_t *x, size_t count) {
    H h = (H)((uint16_t)0);
    memcpy(&h, x, count < LANES ? count * 2 : sizeof h);
    return __builtin_convertvector(h, U);
}

INLINE void NAME(put_shorts)(uint16_t *y, U words, size_t count) {
    H h = __builtin_convertvector(words, H);
    memcpy(y, &h, count < LANES ? count * 2 : sizeof h);
}

#define CONVERSIONS(format)                                                                                            \
    TARGET static void NAME(rene_round_##format)(float *x, size_t n) {                                                 \
        EACH_VECTOR(n, put(x + i, NAME(from_##format)(NAME(to_##format)(fetch(x + i, count))), count););               \
    }                                                                                                                  \
    TARGET static void NAME(rene_to_##format)(uint16_t *y, const float *x, size_t n) {                                 \
        EACH_VECTOR(n, NAME(put_shorts)(y + i, NAME(to_##format)(fetch(x + i, count)), count););                       \
    }                                                                                                                  \
    TARGET static void NAME(rene_from_##format)(float *y, const uint16_t *x, size_t n) {                               \
        EACH_VECTOR(n, put(y + i, NAME(from_##format)(NAME(fetch_shorts)(x + i, count)), count););                     \
    }
CONVERSIONS(half)
CONVERSIONS(bfloat16)
#undef CONVERSIONS
