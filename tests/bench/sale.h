/* The sales events that the benches of gold load: the same for the sink and for its floor. */
#ifndef BENCH_SALE_H
#define BENCH_SALE_H

#include <glib.h>

typedef struct Sale {
    char order[16], customer[8], name[32], product[8];
    gint32 day, quantity;
    gint64 sales, discount, profit; /* of two, three and two decimals */
    gint64 shuffled;
} Sale;

/* Event `number`: multiplication by a number without common divisor is a permutation. */
static inline Sale sale_at(gint64 number)
{
    gint64 shuffled = number * 7919 % 9999991;
    Sale sale = {.day = (gint32) (19700 + shuffled % 30),
                 .quantity = (gint32) (1 + shuffled % 10),
                 .sales = 100 + shuffled % 100000,
                 .discount = shuffled % 300,
                 .profit = shuffled % 20000,
                 .shuffled = shuffled};
    g_snprintf(sale.order, sizeof sale.order, "ORD-%08" G_GINT64_FORMAT, shuffled);
    g_snprintf(sale.customer, sizeof sale.customer, "C%04d", (int) (shuffled % 1000));
    g_snprintf(sale.name, sizeof sale.name, "Customer number %d", (int) (shuffled % 1000));
    g_snprintf(sale.product, sizeof sale.product, "P%03d", (int) (shuffled % 200));
    return sale;
}

#endif
