"""What has to come out of the sales pipeline, computed from the topic alone: an implementation of its own, in Python."""

import datetime
import json
import re
from collections import Counter, defaultdict
from decimal import Decimal

NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?$")


class Reject(Exception):
    pass


def text(value):
    if not isinstance(value, str):
        raise Reject("no string")
    return value


def integer(value):
    number = Decimal(value) if isinstance(value, Number) else None
    if number is None or number != int(number) or not -(2**31) <= number < 2**31:
        raise Reject("no int")
    return int(number)


def money(value):
    number = Decimal(value) if isinstance(value, Number) else None
    if number is None or number != number.quantize(Decimal("0.01")) or abs(number) >= Decimal(10) ** 10:
        raise Reject("no decimal(12,2)")
    return number.quantize(Decimal("0.01"))


def date(value):
    try:
        return datetime.date.fromisoformat(text(value))
    except ValueError:
        raise Reject("no date") from None


class Number(str):
    """A JSON number's text: never through a float."""


COLUMNS = {"order_id": text, "order_date": date, "customer_id": text, "customer_name": text, "product_id": text, "product_name": text,
           "category": text, "region": text, "sales": money, "quantity": integer, "discount": money, "profit": money}


def decode(value):
    """The typed row of one event; raises Reject."""
    if value is None:
        raise Reject("null")
    try:
        event = json.loads(value.decode("utf-8"), parse_float=Number, parse_int=Number)
    except (ValueError, UnicodeDecodeError) as error:
        raise Reject(str(error)) from None
    if not isinstance(event, dict):
        raise Reject("no object")
    if event.get("order_id") is None:
        raise Reject("no order_id")
    return {column: None if event.get(column) is None else convert(event[column]) for column, convert in COLUMNS.items()}


class Expected:
    """Everything that follows from the records of a topic."""

    def __init__(self, records):
        self.records = 0
        self.partitions = Counter()
        self.lines = defaultdict(list)   # (partition, day): values in the order of their offsets
        self.rows = {}                   # (partition, offset): sales
        self.quantity = 0
        self.sales = Decimal(0)
        self.rejected = {}               # (partition, offset): value
        self.winners = {}                # order_id: (timestamp, partition, offset, row)
        for record in records:
            self.add(record.partition(), record.offset(), record.timestamp()[1], record.value())

    def add(self, partition, offset, timestamp, value):
        self.records += 1
        self.partitions[partition] += 1
        day = datetime.datetime.fromtimestamp(timestamp / 1000, datetime.timezone.utc).date()
        self.lines[partition, day].append(value)
        try:
            row = decode(value)
        except Reject:
            self.rejected[partition, offset] = value
            return
        self.rows[partition, offset] = row["sales"]
        self.quantity += row["quantity"] or 0
        self.sales += row["sales"] or 0
        best = self.winners.get(row["order_id"])
        if best is None or (timestamp, offset) > (best[0], best[2]):
            self.winners[row["order_id"]] = (timestamp, partition, offset, row)
