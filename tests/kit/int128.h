/* The compiler's 128-bit integers, for decimals in tests. */
#ifndef TEST_INT128_H
#define TEST_INT128_H

#include <sf/column.h>

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

static inline Int128 int128_of_decimal(SfDecimal decimal)
{
    return (Int128) ((Uint128) (uint64_t) decimal.high << 64 | decimal.low);
}

static inline Uint128 int128_size(Int128 value)
{
    return value < 0 ? -(Uint128) value : (Uint128) value;
}

#endif
