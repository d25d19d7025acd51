// Included once for each instruction set after vectors_lanes.h: elementary functions of a vector. The polynomials are
// least-maximum fits of the relative error, each coefficient rounded to single precision before those after it were
// fitted. Products and sums are contracted where the processor can; without that the errors grow by about half an ulp.

#define exponential NAME(exponential)
#define bounded_exponential NAME(bounded_exponential)
#define exponential_minus_one NAME(exponential_minus_one)
#define logarithm NAME(logarithm)
#define logarithm_of_one_plus NAME(logarithm_of_one_plus)
#define nearest NAME(nearest)
#define logistic NAME(logistic)
#define hyperbolic_tangent NAME(hyperbolic_tangent)
#define error_function NAME(error_function)
#define normal_distribution NAME(normal_distribution)
#define normal_density NAME(normal_density)
#define circular NAME(circular)

// 1.5·2²³: adding it rounds to an integer, half to even, that then stands in the lowest bits.
#define ROUNDING 12582912.0f
// ln 2 in two parts, the first of 15 bits so that its product with an exponent is exact.
#define LN2_HIGH 0.693145751953125f
#define LN2_LOW 1.428606820e-06f

// x = n·ln 2 + r, |r| ≤ ½·ln 2; gives e^r − 1, and n in the lowest bits of *power.
INLINE V NAME(reduced_exponential)(V x, I *power) {
    V shifted = x * 1.44269504f + ROUNDING;
    V n = shifted - ROUNDING;
    V r = (x - n * LN2_HIGH) - n * LN2_LOW;
    V q = all(1.381835900e-03f);
    q = q * r + 8.368715644e-03f;
    q = q * r + 4.166829586e-02f;
    q = q * r + 1.666652113e-01f;
    q = q * r + 4.999999404e-01f;
    *power = (I)shifted;
    return q * (r * r) + r;
}

// e^x for −87 ≤ x ≤ 88, or not a number.
INLINE V bounded_exponential(V x) {
    I power;
    V r = NAME(reduced_exponential)(x, &power);
    return (r + 1.0f) * (V)((power << 23) + 0x3f800000);
}

// e^x; zero where it would be denormal.
INLINE V exponential(V x) {
    I power;
    V r = NAME(reduced_exponential)(x, &power);
    // The exponent is added in the bits, for 2¹²⁸ is not representable while e^r · 2¹²⁸ with e^r < 1 is.
    V y = (V)((I)(r + 1.0f) + (power << 23));
    y = x < -87.33654f ? all(0.0f) : y;
    return x <= 88.722832f ? y : x * INFINITY;
}

// e^x − 1 for −87 ≤ x ≤ 88, or not a number, with its relative error small about zero too.
INLINE V exponential_minus_one(V x) {
    I power;
    V r = NAME(reduced_exponential)(x, &power);
    V scale = (V)((power << 23) + 0x3f800000);
    return scale * r + (scale - 1.0f);
}

// ln(1 + f) + e·ln 2 for √½ ≤ 1 + f < √2.
INLINE V NAME(reduced_logarithm)(V f, V e) {
    V q = all(6.753840297e-02f);
    q = q * f + -1.167680919e-01f;
    q = q * f + 1.188519374e-01f;
    q = q * f + -1.240543723e-01f;
    q = q * f + 1.422008872e-01f;
    q = q * f + -1.666801125e-01f;
    q = q * f + 2.000208050e-01f;
    q = q * f + -2.500000894e-01f;
    q = q * f + 3.333331347e-01f;
    V square = f * f;
    V y = (f * square) * q;
    y = e * LN2_LOW + y;
    y = y - 0.5f * square;
    return e * LN2_HIGH + (f + y);
}

INLINE V logarithm(V x) {
    I tiny = x < FLT_MIN;
    // From √½ on, so that x near 1 has the exponent 0 and an exact f.
    I bits = (I)(tiny ? x * 33554432.0f : x) - 0x3f3504f3;
    V e = __builtin_convertvector(bits >> 23, V) - (tiny ? all(25.0f) : all(0.0f));
    V f = (V)((bits & 0x7fffff) + 0x3f3504f3) - 1.0f;
    V y = NAME(reduced_logarithm)(f, e);
    y = x < INFINITY ? y : x;
    return x > 0.0f ? y : (x == 0.0f ? all(-INFINITY) : all(NAN));
}

// ln(1 + x) for 0 ≤ x ≤ 1, or not a number.
INLINE V logarithm_of_one_plus(V x) {
    I large = x > 0.41421356f;
    V f = large ? x * 0.5f - 0.5f : x;
    return NAME(reduced_logarithm)(f, large ? all(1.0f) : all(0.0f));
}

// Half to even; integers beyond 2²³ are their own.
INLINE V nearest(V x) {
    V size = magnitude(x);
    V rounded = with_sign((size + 8388608.0f) - 8388608.0f, x);
    return size < 8388608.0f ? rounded : x;
}

INLINE V logistic(V x) { return 1.0f / (1.0f + exponential(-x)); }

// tanh |x| = (e^2|x| − 1) / (e^2|x| + 1); it is 1 from 10 on.
INLINE V hyperbolic_tangent(V x) {
    V size = magnitude(x);
    V y = exponential_minus_one(2.0f * (size > 10.0f ? all(10.0f) : size));
    return with_sign(y / (y + 2.0f), x);
}

// erf(x)/x − 1 in u = x², for |x| < 1.
INLINE V NAME(error_series)(V u) {
    V p = all(7.806903886e-05f);
    p = p * u + -7.997853099e-04f;
    p = p * u + 5.187162198e-03f;
    p = p * u + -2.685334720e-02f;
    p = p * u + 1.128357872e-01f;
    p = p * u + -3.761262596e-01f;
    return p * u + 1.283791661e-01f;
}

// 1 − erf(z) for 1 ≤ z ≤ 5: its logarithm is a polynomial nearly.
INLINE V NAME(error_tail)(V z) {
    V p = all(1.516222369e-06f);
    p = p * z + -4.399771933e-05f;
    p = p * z + 5.819322541e-04f;
    p = p * z + -4.700169899e-03f;
    p = p * z + 2.627732046e-02f;
    p = p * z + -1.098639891e-01f;
    p = p * z + -6.320232153e-01f;
    p = p * z + -1.130133390e+00f;
    return bounded_exponential(p * z + 2.984844614e-04f);
}

INLINE V error_function(V x) {
    V size = magnitude(x);
    V tail = NAME(error_tail)(size > 5.0f ? all(5.0f) : size);
    V near = x * NAME(error_series)(x * x) + x;
    return size < 1.0f ? near : with_sign(1.0f - tail, x);
}

// ½ + ½·erf(x/√2), its relative error small in the lower tail too, down to x = −7; zero below.
INLINE V normal_distribution(V x) {
    V z = x * 0.70710678f;
    V size = magnitude(z);
    V tail = 0.5f * NAME(error_tail)(size > 5.0f ? all(5.0f) : size);
    tail = size > 5.0f ? all(0.0f) : tail;
    V half = 0.5f * z;
    V near = (half * NAME(error_series)(z * z) + half) + 0.5f;
    return size < 1.0f ? near : (x < 0.0f ? tail : 1.0f - tail);
}

// e^(−x²/2) / √(2π)
INLINE V normal_density(V x) { return 0.39894228f * exponential(-0.5f * (x * x)); }

// sin(x + quarter·π/2), quarter 0 or 1, for |x| < 10⁴. π/2 is subtracted in four parts, the first three of 11 bits so
// that their products with the number of quarters are exact without contraction too.
INLINE V circular(V x, int quarter) {
    V shifted = x * 0.636619772f + ROUNDING;
    V n = shifted - ROUNDING;
    I turn = (I)shifted + quarter;
    V r = x - n * 1.570312500e+00f;
    r = r - n * 4.837512970e-04f;
    r = r - n * 7.549533620e-08f;
    r = r - n * 2.563344068e-12f;
    V u = r * r;
    V s = all(-1.985306881e-04f);
    s = s + u * 2.832644668e-06f;
    s = s * u + 8.333379403e-03f;
    s = s * u + -1.666666716e-01f;
    s = (r * u) * s + r;
    V c = all(2.482201489e-05f);
    c = c + u * -2.887984749e-07f;
    c = c * u + -1.388898003e-03f;
    c = c * u + 4.166666791e-02f;
    c = (u * u) * c + (1.0f - 0.5f * u);
    V y = (turn & 1) != 0 ? c : s;
    y = (V)((I)y ^ ((turn & 2) << 30));
    return quarter == 0 ? (x == 0.0f ? x : y) : y;
}
