/* One sales event as JSON text, all from its number: no state, no clock, no floating point in what is written. */
#include <stdbool.h>
#include <string.h>

#include "civil.h"
#include "event.h"

/* Where numbers begin is up to the seed, so that runs with other seeds send other orders. */
#define FIRST_ORDER 100000
#define ORDERS 900000
#define CUSTOMERS 500
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* A duplicate repeats one of so many events before it. */
#define DUPLICATE_REACH 100

typedef enum Purpose { FOR_ORDER = 1, FOR_DUPLICATE, FOR_CORRECTION, FOR_LATE, FOR_BROKEN, FOR_CUSTOMER } Purpose;

typedef enum Break {
    BREAK_NOTHING,
    BREAK_TRUNCATED,
    BREAK_MISSING_FIELD,
    BREAK_WRONG_TYPE,
    BREAK_BAD_UTF8,
    BREAK_NUMBER,
    BREAKS
} Break;

typedef struct Product {
    const char *name;
    const char *category;
    int cents;
} Product;

static const Product products[] = {
    {"Notebook 13 inch", "Technology", 89900},
    {"Colour Laser Printer", "Technology", 24950},
    {"Noise Cancelling Headset", "Technology", 17900},
    {"Webcam Full HD", "Technology", 5995},
    {"Docking Station", "Technology", 14900},
    {"Mobile Phone", "Technology", 49900},
    {"Standing Desk", "Furniture", 42900},
    {"Swivel Chair", "Furniture", 18950},
    {"Filing Cabinet", "Furniture", 13900},
    {"Bookshelf Oak", "Furniture", 21900},
    {"Desk Lamp", "Furniture", 3995},
    {"Conference Table", "Furniture", 74900},
    {"Copy Paper 500 Sheets", "Office Supplies", 595},
    {"Ballpoint Pens 10 Pack", "Office Supplies", 449},
    {"Ring Binder", "Office Supplies", 325},
    {"Envelopes 100 Pack", "Office Supplies", 799},
    {"Whiteboard Markers", "Office Supplies", 1090},
    {"Hole Punch", "Office Supplies", 1275},
    {"Label Maker", "Office Supplies", 3490},
    {"Sticky Notes", "Office Supplies", 275},
};

static const char *const first_names[] = {"Amara",  "Bastian", "Carmen", "Dmitri", "Elena", "Fatima",
                                          "Gustav", "Hana",    "Ivo",    "Jelena", "Kofi",  "Lena",
                                          "Mateus", "Noor",    "Olga",   "Pavel"};
static const char *const last_names[] = {"Abebe",  "Berg",     "Castro",  "Demir",     "Eriksen", "Fontaine",
                                         "Gruber", "Hoang",    "Iversen", "Jovanovic", "Keller",  "Lind",
                                         "Moreau", "Nakamura", "Ortiz",   "Petrov"};
static const char *const regions[] = {"North", "South", "East", "West", "Central"};

/* splitmix64's finalizer: each number's bits are independent of its neighbours'. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t draw(const EventPlan *plan, int64_t index, Purpose purpose)
{
    return mix(mix(plan->seed + UINT64_C(0x9e3779b97f4a7c15) * (uint64_t) purpose) + (uint64_t) index);
}

static uint64_t below(uint64_t *bits, uint64_t n)
{
    *bits = mix(*bits + UINT64_C(0x9e3779b97f4a7c15));
    return (*bits >> 33) % n;
}

static bool chosen(const EventPlan *plan, int64_t index, Purpose purpose, double share)
{
    return share > 0 && (double) (draw(plan, index, purpose) >> 11) * 0x1p-53 < share;
}

/* The event whose order this one repeats; itself unless it is a duplicate. */
static int64_t original(const EventPlan *plan, int64_t index)
{
    while (index > 0 && chosen(plan, index, FOR_DUPLICATE, plan->duplicates)) {
        uint64_t bits = draw(plan, index, FOR_ORDER);
        index -= 1 + (int64_t) below(&bits, (uint64_t) (index < DUPLICATE_REACH ? index : DUPLICATE_REACH));
    }
    return index;
}

/* ---- text
 * --------------------------------------------------------------------------------------------------------- */

static char *put(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

static char *put_digits(char *at, uint64_t value, int width)
{
    char digits[20];
    int n = 0;
    for (; value > 0 || n < width || n == 0; value /= 10)
        digits[n++] = (char) ('0' + value % 10);
    while (n > 0)
        *at++ = digits[--n];
    return at;
}

static char *put_cents(char *at, int64_t cents)
{
    if (cents < 0)
        *at++ = '-';
    uint64_t size = (uint64_t) (cents < 0 ? -cents : cents);
    at = put_digits(at, size / 100, 1);
    *at++ = '.';
    return put_digits(at, size % 100, 2);
}

static char *put_text_member(char *at, const char *name, const char *text)
{
    at = put(at, ", \"");
    at = put(at, name);
    at = put(at, "\": \"");
    at = put(at, text);
    return put(at, "\"");
}

static char *put_id_member(char *at, const char *name, char letter, uint64_t number)
{
    at = put(at, ", \"");
    at = put(at, name);
    at = put(at, "\": \"");
    *at++ = letter;
    at = put_digits(at, number, 3);
    return put(at, "\"");
}

static char *put_date(char *at, int64_t time_ms)
{
    Civil date = civil_from_days(time_ms >= 0 ? time_ms / DAY_MS : (time_ms - DAY_MS + 1) / DAY_MS);
    at = put_digits(at, (uint64_t) date.year, 4);
    *at++ = '-';
    at = put_digits(at, (uint64_t) date.month, 2);
    *at++ = '-';
    return put_digits(at, (uint64_t) date.day, 2);
}

/* ---- the event
 * ---------------------------------------------------------------------------------------------------- */

typedef struct Order {
    uint64_t number;
    uint64_t customer;
    uint64_t product;
    int64_t quantity;
    int64_t discount; /* percent */
    int64_t margin;   /* likewise */
    int64_t back_ms;  /* how late it is */
} Order;

static Order order_of(const EventPlan *plan, int64_t index, int64_t first)
{
    uint64_t bits = draw(plan, first, FOR_ORDER);
    Order order = {.number = FIRST_ORDER + mix(plan->seed) % ORDERS + (uint64_t) first};
    order.customer = 1 + below(&bits, CUSTOMERS);
    order.product = below(&bits, sizeof products / sizeof products[0]);
    order.quantity = 1 + (int64_t) below(&bits, 12);
    order.discount = 5 * (int64_t) below(&bits, 5);
    order.margin = (int64_t) below(&bits, 50) - 12;
    if (chosen(plan, first, FOR_LATE, plan->late))
        order.back_ms = HOUR_MS + (int64_t) below(&bits, (uint64_t) (3 * DAY_MS - HOUR_MS));
    /* every second duplicate is a correction of the order, not a mere repetition */
    uint64_t correction = draw(plan, index, FOR_CORRECTION);
    if (index != first && (correction & 1))
        order.quantity = 1 + (int64_t) below(&correction, 12);
    return order;
}

static char *put_customer(char *at, uint64_t customer, Break broken)
{
    uint64_t bits = mix(customer * FOR_CUSTOMER);
    at = put_id_member(at, "customer_id", 'C', customer);
    at = put(at, ", \"customer_name\": \"");
    at = put(at, first_names[below(&bits, 16)]);
    at = put(at, broken == BREAK_BAD_UTF8 ? " \xff\xfe" : " ");
    at = put(at, last_names[below(&bits, 16)]);
    return put(at, "\"");
}

static char *put_numbers(char *at, const Order *order, Break broken)
{
    int64_t gross = products[order->product].cents * order->quantity;
    int64_t sales = (gross * (100 - order->discount) + 50) / 100;
    at = put(at, ", \"sales\": ");
    at = put_cents(at, sales);
    at = put(at, ", \"quantity\": ");
    if (broken == BREAK_WRONG_TYPE)
        at = put(at, "\"five\"");
    else if (broken == BREAK_NUMBER)
        at = put(at, "99999999999999999999");
    else
        at = put_digits(at, (uint64_t) order->quantity, 1);
    at = put(at, ", \"discount\": ");
    at = put_cents(at, order->discount);
    at = put(at, ", \"profit\": ");
    return put_cents(at, sales * order->margin / 100);
}

static char *put_event(char *at, const Order *order, const Event *event, int64_t date_ms, Break broken)
{
    const Product *product = &products[order->product];
    uint64_t bits = mix(order->customer + FOR_CUSTOMER);
    at = put(at, "{");
    if (broken != BREAK_MISSING_FIELD) {
        at = put(at, "\"order_id\": \"");
        memcpy(at, event->key, (size_t) event->key_size);
        at += event->key_size;
        at = put(at, "\", ");
    }
    at = put(at, "\"order_date\": \"");
    at = put_date(at, date_ms);
    at = put(at, "\"");
    at = put_customer(at, order->customer, broken);
    at = put_id_member(at, "product_id", 'P', order->product + 1);
    at = put_text_member(at, "product_name", product->name);
    at = put_text_member(at, "category", product->category);
    at = put_text_member(at, "region", regions[below(&bits, 5)]);
    at = put_numbers(at, order, broken);
    return put(at, "}");
}

static int64_t time_of(const EventPlan *plan, int64_t index, int64_t now_ms)
{
    return plan->start_ms < 0 ? now_ms : plan->start_ms + (int64_t) ((double) index * plan->step_ms);
}

void event_make(const EventPlan *plan, int64_t index, int64_t now_ms, Event *out)
{
    int64_t first = original(plan, index);
    Order order = order_of(plan, index, first);
    Break broken = BREAK_NOTHING;
    if (chosen(plan, index, FOR_BROKEN, plan->broken)) {
        uint64_t bits = draw(plan, index, FOR_BROKEN);
        broken = (Break) (1 + below(&bits, BREAKS - 1));
    }
    out->time_ms = time_of(plan, index, now_ms) - order.back_ms;
    out->key_size = (int) (put_digits(put(out->key, "ORD-"), order.number, 6) - out->key);
    char *end = put_event(out->value, &order, out, time_of(plan, first, now_ms) - order.back_ms, broken);
    out->value_size = (int) (end - out->value);
    if (broken == BREAK_TRUNCATED)
        out->value_size /= 2;
}
