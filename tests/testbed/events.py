"""Sales events for the proofs, from a seed: new orders, updates, copies, late ones, and broken ones of every kind."""

import random

DAY_MS = 86400000
FIRST_MS = 1705276800000  # 2024-01-15 00:00 UTC
PRODUCTS = [(f"P{i:03}", f"Product {i}", category) for i, category in enumerate(["Furniture", "Office Supplies", "Technology"] * 20)]
CUSTOMERS = [(f"C{i:04}", f"Customer {i}", region) for i, region in enumerate(["East", "West", "North", "South"] * 250)]

BROKEN = {
    "not JSON": b"this is no JSON",
    "truncated": b'{"order_id": "ORD-1", "order_date": "2024-01-1',
    "no order_id": b'{"order_date": "2024-01-15", "customer_id": "C001", "product_id": "P001", "sales": 1.00, "quantity": 1}',
    "null order_id": b'{"order_id": null, "order_date": "2024-01-15", "sales": 1.00, "quantity": 1}',
    "number too large": b'{"order_id": "ORD-1", "order_date": "2024-01-15", "sales": 99999999999.00, "quantity": 1}',
    "too many digits": b'{"order_id": "ORD-1", "order_date": "2024-01-15", "sales": 1.005, "quantity": 1}',
    "quantity no int": b'{"order_id": "ORD-1", "order_date": "2024-01-15", "sales": 1.00, "quantity": "many"}',
    "int overflow": b'{"order_id": "ORD-1", "order_date": "2024-01-15", "sales": 1.00, "quantity": 3000000000}',
    "no such day": b'{"order_id": "ORD-1", "order_date": "2024-02-30", "sales": 1.00, "quantity": 1}',
    "invalid UTF-8": b'{"order_id": "ORD-\xff\xfe", "order_date": "2024-01-15", "sales": 1.00, "quantity": 1}',
    "array": b'["ORD-1", "2024-01-15"]',
    "garbage behind": b'{"order_id": "ORD-1", "order_date": "2024-01-15", "sales": 1.00, "quantity": 1} x',
}


class Sales:
    """Messages for testbed.Kafka.produce(). An order's events share a partition, as those of one key do; the latest by
    (timestamp, offset) wins, and some updates come with an older timestamp and must lose."""

    def __init__(self, count, seed, partitions=3, update=0.06, copy=0.04, broken=0.004, span_ms=2 * DAY_MS):
        self.count, self.span_ms = count, span_ms
        self.random = random.Random(seed)
        self.partitions = partitions
        self.update, self.copy, self.broken = update, copy, broken
        self.recent = []

    def event(self, order, partition):
        pick = self.random.random
        product, product_name, category = PRODUCTS[int(pick() * len(PRODUCTS))]
        customer, customer_name, region = CUSTOMERS[int(pick() * len(CUSTOMERS))]
        day = 15 - int(pick() * 10) if pick() < 0.05 else 15
        cents = int(pick() * 900000) + 100
        return (f'{{"order_id": "ORD-{order:07}", "order_date": "2024-01-{day:02}", "customer_id": "{customer}", '
                f'"customer_name": "{customer_name}", "product_id": "{product}", "product_name": "{product_name}", '
                f'"category": "{category}", "region": "{region}", "sales": {cents // 100}.{cents % 100:02}, '
                f'"quantity": {1 + int(pick() * 9)}, "discount": 0.{int(pick() * 50):02}, "profit": {cents // 5 / 100:.2f}}}').encode()

    def messages(self):
        pick, broken = self.random.random, list(BROKEN.values())
        order = 0
        for number in range(self.count):
            timestamp = FIRST_MS + number * self.span_ms // self.count
            dice = pick()
            if dice < self.broken:
                partition, value = int(pick() * self.partitions), broken[int(pick() * len(broken))]
            elif dice < self.broken + self.copy and self.recent:
                partition, _, value = self.recent[int(pick() * len(self.recent))]
            elif dice < self.broken + self.copy + self.update and self.recent:
                partition, old, _ = self.recent[int(pick() * len(self.recent))]
                value = self.event(old, partition)
                if pick() < 0.2:
                    timestamp -= DAY_MS // 2
            else:
                order += 1
                partition = order % self.partitions
                value = self.event(order, partition)
                if len(self.recent) < 5000:
                    self.recent.append((partition, order, value))
                else:
                    self.recent[int(pick() * 5000)] = (partition, order, value)
            yield {"value": value, "key": b"%d" % partition, "partition": partition, "timestamp": timestamp}
