// The binary operations of the vectors `a` and `b`. Not-a-number is kept by min and max.
#define BINARY_OPERATIONS(OPERATION)                                                                                   \
    OPERATION(add, a + b)                                                                                              \
    OPERATION(sub, a - b)                                                                                              \
    OPERATION(reverse_sub, b - a)                                                                                      \
    OPERATION(mul, a * b)                                                                                              \
    OPERATION(div, a / b)                                                                                              \
    OPERATION(reverse_div, b / a)                                                                                      \
    OPERATION(min, ((a < b) | (a != a)) != 0 ? a : b)                                                                  \
    OPERATION(max, ((a > b) | (a != a)) != 0 ? a : b)
