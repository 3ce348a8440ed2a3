#!/usr/bin/env python3
"""parquet_encode.py DIR: CPU of other Parquet writers on the rows that parquet_encode left in DIR, one thread, best of 5.
Needs pyarrow, and polars for its lines."""
import os
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq

RUNS = 5


def best(write):
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        write()
        times.append(time.process_time() - start)
    return min(times)


def main(folder):
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    table = pq.read_table(os.path.join(folder, "ours-none.parquet"), page_checksum_verification=True)
    table.validate(full=True)
    for name in ("snappy", "zstd-1"):
        other = pq.read_table(os.path.join(folder, f"ours-{name}.parquet"), page_checksum_verification=True)
        if not other.equals(table):
            sys.exit(f"parquet_encode.py: {name} and none differ")
    path = os.path.join(folder, "theirs.parquet")
    settings = {"none": {"compression": "none"}, "snappy": {"compression": "snappy"},
                "snappy+crc": {"compression": "snappy", "write_page_checksum": True},
                "zstd-1": {"compression": "zstd", "compression_level": 1}}
    for name, options in settings.items():
        used = best(lambda: pq.write_table(table, path, **options))
        print(f"pyarrow     {name:10} {used * 1e6 / table.num_rows:.3f} us/row {os.path.getsize(path):10} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
