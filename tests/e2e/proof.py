"""The comparison of bronze, silver, gold and rejects with what the oracle expects."""

import datetime
import re
from collections import Counter, defaultdict

OBJECT = re.compile(r"(?:^|/)(?P<topic>[^/]+)/year=(?P<year>\d{4})/month=(?P<month>\d\d)/day=(?P<day>\d\d)/"
                    r"(?P=topic)\+(?P<partition>\d+)\+(?P<offset>\d{10})\.json$")


def bronze(expected, objects, topic):
    """objects: {key: bytes}. Every day of every partition holds its records, each once, in order, byte by byte."""
    found = defaultdict(list)
    for key, body in objects.items():
        match = OBJECT.search(key)
        if not match:
            assert "/_sf/" in f"/{key}", f"an object that is neither data nor ledger: {key}"
            continue
        assert match["topic"] == topic, key
        assert body.endswith(b"\n"), f"{key} is cut off"
        day = datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))
        found[int(match["partition"]), day].append((int(match["offset"]), body))
    assert set(found) == set(expected.lines)
    for place, values in expected.lines.items():
        lines = b"".join(body for _, body in sorted(found[place]))
        wanted = b"".join(value + b"\n" for value in values)
        assert lines.count(b"\n") == len(values), f"partition and day {place}: {lines.count(10)} lines for {len(values)} records"
        assert lines == wanted, f"partition and day {place}: bytes differ"


def silver(expected, table):
    """Several readers agree, and every good record is there once with its own values."""
    rows = table.all("SELECT COUNT(*) AS n, SUM(quantity) AS q, SUM(sales) AS s FROM t")
    assert [tuple(map(float, row)) for row in rows] == [(len(expected.rows), expected.quantity, float(expected.sales))]
    doubled = table.all("SELECT _partition, _offset FROM t GROUP BY _partition, _offset HAVING COUNT(*) > 1")
    assert doubled == []
    arrow = table.arrow().select(["_partition", "_offset", "sales"])
    partition, offset, sales = (arrow.column(i).to_pylist() for i in range(3))
    assert dict(zip(zip(partition, offset), sales)) == expected.rows


def gold(expected, rows):
    """rows: (order_id, sales_amount, quantity, _partition, _offset) as text."""
    wanted = {order: (row["sales"], row["quantity"], partition, offset) for order, (_, partition, offset, row) in expected.winners.items()}
    orders = Counter(row[0] for row in rows)
    assert len(orders) == len(rows), f"orders twice in gold: {[order for order, n in orders.items() if n > 1][:5]}"
    assert set(orders) == set(wanted)
    wrong = [(row, wanted[row[0]]) for row in rows if not same(row[1:], wanted[row[0]])]
    assert not wrong, f"{len(wrong)} orders with the wrong winner, such as {wrong[:3]}"


def same(found, wanted):
    return all((a is None and b is None) or (a is not None and b is not None and float(a) == float(b)) for a, b in zip(found, wanted))


def rejects(expected, messages):
    """messages: records of the rejects topic: each broken record exactly once, with its place and a cause."""
    found = Counter(place(message) for message in messages)
    assert found == Counter(expected.rejected.keys())


def place(message):
    """(partition, offset) of the record that a rejected one was; fails without a cause."""
    headers = {name: value for name, value in message.headers() or []}
    assert headers.get("sf.error"), f"a reject without cause: {message.value()!r} {headers}"
    return int(headers["sf.partition"]), int(headers["sf.offset"])
