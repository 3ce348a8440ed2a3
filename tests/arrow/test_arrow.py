"""pyarrow as a foreign reader: what libsf makes is imported through Arrow's C data interface, validated in full and compared
with what went in; every batch is released exactly once. And the other way: libsf reads what pyarrow makes.

    SF_ARROW_EXPORT=<arrow_export.so> python test_arrow.py
"""

import ctypes
import datetime
import decimal
import gc
import json
import os
import random
import unittest

import pyarrow as pa

LIB = ctypes.CDLL(os.environ["SF_ARROW_EXPORT"])
LIB.arrow_alive.restype = ctypes.c_int64
LIB.arrow_text.restype = ctypes.c_void_p
LIB.arrow_text.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
LIB.arrow_free.argtypes = [ctypes.c_void_p]

SCHEMA = (
    "flag bool, small int, big bigint not null, real double, money decimal(38,10), text string, name string view, "
    "bytes binary, body binary view, day date, at timestamp not null, tags list<string>, views list<string view>, "
    "lines list<struct<sku string not null, n int, notes list<binary view>>>, "
    "buyer struct<name string view, age int not null, flags list<bool>>"
)
UTC = datetime.timezone.utc


class Random:
    """Random values as Python has them; nulls where they may be."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def maybe(self, value):
        return None if self.random.random() < 0.25 else value()

    def text(self):
        return "".join(self.random.choice("abcxyz€ñ0123 ") for _ in range(self.random.choice((0, 3, 12, 13, 40))))

    def number(self):
        return self.random.randint(-(2**31), 2**31 - 1)

    def many(self, value, most=3):
        return [self.maybe(value) for _ in range(self.random.randint(0, most))]

    def decimal(self):
        digits = self.random.randint(1, 38)
        return decimal.Decimal(self.random.randint(-(10**digits) + 1, 10**digits - 1)).scaleb(-10, decimal.Context(prec=60))

    def line(self):
        return {"sku": self.text(), "n": self.maybe(self.number), "notes": self.maybe(lambda: self.many(self.text))}

    def buyer(self):
        return {
            "name": self.maybe(self.text),
            "age": self.number(),
            "flags": self.maybe(lambda: self.many(lambda: self.random.random() < 0.5, 9)),
        }

    def row(self):
        r = self.random
        return [
            self.maybe(lambda: r.random() < 0.5),
            self.maybe(self.number),
            r.randint(-(2**63), 2**63 - 1),
            self.maybe(lambda: r.uniform(-1e9, 1e9)),
            self.maybe(self.decimal),
            self.maybe(self.text),
            self.maybe(self.text),
            self.maybe(self.text),
            self.maybe(self.text),
            self.maybe(lambda: datetime.date(1, 1, 1) + datetime.timedelta(days=r.randint(0, 3652058))),
            datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(microseconds=r.randint(-(10**15), 10**16)),
            self.maybe(lambda: self.many(self.text)),
            self.maybe(lambda: self.many(self.text)),
            self.maybe(lambda: self.many(self.line)),
            self.maybe(self.buyer),
        ]


def to_json(value):
    """A row as rows_from_json() takes it: exact decimals, ISO times."""
    if isinstance(value, list):
        return "[" + ",".join(map(to_json, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k) + ":" + to_json(v) for k, v in value.items()) + "}"
    if isinstance(value, decimal.Decimal):
        return json.dumps(f"{value:f}")
    if isinstance(value, datetime.datetime):
        return json.dumps(value.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0"))
    if isinstance(value, datetime.date):
        return json.dumps(value.isoformat())
    return json.dumps(value)


def strings(texts):
    return (ctypes.c_char_p * len(texts))(*[text.encode() for text in texts])


def bitmap(bits):
    out = bytearray(len(bits) // 8 + 1)
    for i, bit in enumerate(bits):
        out[i // 8] |= bool(bit) << (i % 8)
    return (ctypes.c_uint8 * len(out))(*out)


class Structs:
    """Room for an ArrowSchema and an ArrowArray."""

    def __init__(self):
        self.schema, self.array = (ctypes.c_int64 * 9)(), (ctypes.c_int64 * 10)()
        self.addresses = (ctypes.c_void_p(ctypes.addressof(self.schema)), ctypes.c_void_p(ctypes.addressof(self.array)))

    def batch(self):
        return pa.RecordBatch._import_from_c(self.addresses[1].value, self.addresses[0].value)

    def column(self):
        return pa.Array._import_from_c(self.addresses[1].value, self.addresses[0].value)


def make(rows, operation, first=0, count=None, keep=None, schema=SCHEMA):
    structs = Structs()
    count = len(rows) - first if count is None else count
    LIB.arrow_make(
        ctypes.c_char_p(schema.encode()), strings([to_json(row) for row in rows]), ctypes.c_size_t(len(rows)),
        ctypes.c_char_p(operation.encode()), ctypes.c_int64(first), ctypes.c_int64(count),
        bitmap(keep or [1] * len(rows)), *structs.addresses)
    return structs.batch()


def as_bytes(value):
    return [as_bytes(v) for v in value] if isinstance(value, list) else value if value is None else value.encode()


def expected(rows):
    """What pyarrow gives for these rows: columns of type binary are bytes."""
    out = []
    for row in rows:
        row = list(row)
        for i in (7, 8):
            row[i] = as_bytes(row[i])
        row[13] = row[13] and [line and {**line, "notes": as_bytes(line["notes"])} for line in row[13]]
        out.append(row)
    return out


class ForeignReader(unittest.TestCase):
    def tearDown(self):
        gc.collect()
        self.assertEqual(LIB.arrow_alive(), 0, "every column is released once")

    def assert_rows(self, batch, rows):
        self.assertGreater(LIB.arrow_alive(), 0, "the columns are alive while pyarrow has them")
        batch.validate(full=True)
        got = list(zip(*[column.to_pylist() for column in batch.columns])) if batch.num_rows else []
        self.assertEqual([list(row) for row in got], expected(rows))

    def test_plain(self):
        for n in (0, 1, 7, 8, 9, 63, 64, 65, 500):
            rows = [Random(n).row() for _ in range(n)]
            self.assert_rows(make(rows, "slice"), rows)

    def test_types_are_the_arrow_types(self):
        types = [str(field.type) for field in make([], "slice").schema]
        self.assertEqual(types[:11], ["bool", "int32", "int64", "double", "decimal128(38, 10)", "string", "string_view",
                                      "binary", "binary_view", "date32[day]", "timestamp[us, tz=UTC]"])
        nullable = [field.nullable for field in make([], "slice").schema]
        self.assertEqual(nullable.index(False), 2)

    def test_sliced(self):
        source = Random(1)
        rows = [source.row() for _ in range(200)]
        for first, count in ((0, 0), (1, 9), (7, 8), (8, 64), (65, 100), (199, 1), (200, 0)):
            self.assert_rows(make(rows, "slice", first, count), rows[first : first + count])

    def test_filtered(self):
        source = Random(2)
        rows = [source.row() for _ in range(300)]
        for share in (0, 0.05, 0.5, 0.95, 1):
            for first in (0, 13):
                keep = [source.random.random() < share for _ in rows[first:]]
                want = [row for row, kept in zip(rows[first:], keep) if kept]
                self.assert_rows(make(rows, "keep", first, keep=keep), want)

    def test_compacted(self):
        source = Random(3)
        rows = [source.row() for _ in range(150)]
        batch = make(rows, "compact", 9, 120)
        self.assertNotIn("_view", str(batch.schema))
        self.assert_rows(batch, rows[9:129])

    def test_views_over_thousands_of_buffers(self):
        for n in (1, 5000, 20000):
            keep = [i % 3 == 0 for i in range(n)]
            structs = Structs()
            LIB.arrow_make_views(ctypes.c_size_t(n), bitmap(keep), *structs.addresses)
            batch = structs.batch()
            batch.validate(full=True)
            self.assertGreaterEqual(len(batch.column(0).buffers()), n)
            want = [f"message number {i} in a buffer of its own".encode() for i in range(n) if keep[i]]
            self.assertEqual(batch.column(0).to_pylist(), want)
            del batch
            gc.collect()
            self.assertEqual(LIB.arrow_alive(), 0)

    def test_column_outlives_its_batch(self):
        source = Random(4)
        rows = [source.row() for _ in range(50)]
        for column, name in ((13, "lines"), (8, "body"), (14, "buyer")):
            structs = Structs()
            LIB.arrow_share(ctypes.c_char_p(SCHEMA.encode()), strings([to_json(row) for row in rows]),
                            ctypes.c_size_t(len(rows)), ctypes.c_int64(column), *structs.addresses)
            array = structs.column()
            array.validate(full=True)
            self.assertEqual(array.to_pylist(), [row[column] for row in expected(rows)], name)

    def test_part_of_a_column_keeps_all_of_it_alive(self):
        source = Random(5)
        rows = [source.row() for _ in range(40)]
        column = make(rows, "slice").column(13).flatten()
        gc.collect()
        column.validate(full=True)
        self.assertEqual(len(column), sum(len(row[13] or []) for row in rows))


class ForeignProducer(unittest.TestCase):
    def read(self, batch):
        structs = Structs()
        batch._export_to_c(structs.addresses[1].value, structs.addresses[0].value)
        text = LIB.arrow_text(*structs.addresses)
        value = ctypes.string_at(text).decode()
        LIB.arrow_free(text)
        return value

    def test_rows_are_read_back(self):
        schema = pa.schema([
            ("id", pa.int64()), ("price", pa.decimal128(12, 2)), ("name", pa.string_view()), ("day", pa.date32()),
            ("at", pa.timestamp("us", tz="UTC")), ("tags", pa.list_(pa.string())),
            ("who", pa.struct([("age", pa.int32()), ("raw", pa.binary())])),
        ])
        rows = [
            {"id": 1, "price": decimal.Decimal("-12.50"), "name": "short", "day": datetime.date(2024, 1, 15),
             "at": datetime.datetime(2024, 1, 15, 10, 30, 1, 500000, tzinfo=UTC), "tags": ["a", None],
             "who": {"age": 7, "raw": b"\xff"}},
            {"id": None, "price": None, "name": None, "day": None, "at": None, "tags": None, "who": None},
            {"id": 3, "price": decimal.Decimal("0.01"), "name": "a name that is not inline", "day": datetime.date(1969, 12, 31),
             "at": datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "tags": [], "who": {"age": None, "raw": b"x"}},
        ]
        batch = pa.RecordBatch.from_pylist(rows, schema=schema)
        want = [
            '{"id":1,"price":-12.50,"name":"short","day":"2024-01-15","at":"2024-01-15T10:30:01.500000Z","tags":["a",null],'
            '"who":{"age":7,"raw":"\\xff"}}',
            '{"id":null,"price":null,"name":null,"day":null,"at":null,"tags":null,"who":null}',
            '{"id":3,"price":0.01,"name":"a name that is not inline","day":"1969-12-31","at":"1969-12-31T23:59:59Z","tags":[],'
            '"who":{"age":null,"raw":"x"}}',
        ]
        self.assertEqual(self.read(batch).split("\n"), want)

    def test_types_that_are_not_ours_are_refused_by_name(self):
        for odd in (pa.int8(), pa.large_string(), pa.timestamp("ns", tz="UTC"), pa.timestamp("us"), pa.dictionary(pa.int32(), pa.string()),
                    pa.map_(pa.string(), pa.int32()), pa.decimal256(50, 2), pa.null()):
            batch = pa.RecordBatch.from_arrays([pa.nulls(1, odd)], names=["odd"])
            self.assertRegex(self.read(batch), "^column 'odd'", str(odd))


if __name__ == "__main__":
    unittest.main()
