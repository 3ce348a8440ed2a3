"""One job of tests/bench/peers by one peer, as its own documentation has it: peer.py JOB INPUT OUTPUT. What a job does not use
is not imported, since a process is measured from its start to its end."""

import sys

TEXTS = ["order_id", "customer_id", "customer_name", "product_id", "product_name", "category", "region"]
NUMBERS = ["sales", "discount", "profit"]


def polars_scan(source):
    import polars as pl
    schema = {name: pl.String for name in [*TEXTS, "order_date"]} | {name: pl.Float64 for name in NUMBERS} | {"quantity": pl.Int32}
    return pl.scan_ndjson(f"{source}/*.json", schema=schema).with_columns(pl.col("order_date").str.to_date())


def polars_parquet(source, out):
    polars_scan(source).sink_parquet(f"{out}/part.parquet", compression="snappy")


def polars_delta(source, out):
    polars_scan(source).collect().write_delta(out)


def pyarrow_delta(source, out):
    """A commit for ten files, as one would do it to bound memory."""
    from pathlib import Path

    import pyarrow as pa
    from deltalake import write_deltalake
    from pyarrow import json
    schema = pa.schema([*((name, pa.string()) for name in TEXTS), ("order_date", pa.string()), *((name, pa.float64()) for name in NUMBERS),
                        ("quantity", pa.int32())])
    files = sorted(Path(source).glob("*.json"))
    for begin in range(0, len(files), 10):
        batch = pa.concat_tables(json.read_json(file, parse_options=json.ParseOptions(explicit_schema=schema)) for file in files[begin:begin + 10])
        place = batch.schema.get_field_index("order_date")
        write_deltalake(out, batch.set_column(place, "order_date", batch["order_date"].cast(pa.date32())), mode="append")


def duckdb_parquet(source, out):
    import duckdb
    columns = {name: "VARCHAR" for name in TEXTS} | {name: "DECIMAL(12,2)" for name in NUMBERS} | {"order_date": "DATE", "quantity": "INTEGER"}
    spelt = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    duckdb.sql(f"COPY (FROM read_json('{source}/*.json', format = 'newline_delimited', columns = {{{spelt}}})) TO '{out}/part.parquet' (COMPRESSION snappy)")


SPARK_SCHEMA = ", ".join([*(f"{name} STRING" for name in TEXTS), "order_date DATE", *(f"{name} DECIMAL(12,2)" for name in NUMBERS), "quantity INT"])


def sail_delta(source, out):
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession
    server = SparkConnectServer()
    server.start()
    _, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    spark.read.schema(SPARK_SCHEMA).json(source).write.format("delta").mode("append").save(out)
    spark.stop()
    server.stop()


def spark_delta(source, out):
    import os

    from pyspark.sql import SparkSession
    spark = (SparkSession.builder.master("local[*]").config("spark.driver.extraClassPath", os.environ["SF_SPARK_JARS"]).config("spark.ui.enabled", "false")
             .config("spark.driver.memory", "2g").config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
             .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog").getOrCreate())
    spark.read.schema(SPARK_SCHEMA).json(source).write.format("delta").mode("append").save(out)
    machine = spark.sparkContext._gateway.proc  # Java; waited for, so that its CPU is counted
    spark.stop()
    machine.stdin.close()
    machine.wait()


def bytewax_files(brokers, out):
    """One file a partition, at least once."""
    from pathlib import Path

    import bytewax.operators as op
    from bytewax.connectors.files import DirSink
    from bytewax.connectors.kafka import KafkaSource
    from bytewax.dataflow import Dataflow
    from bytewax.testing import run_main
    flow = Dataflow("peers")
    records = op.input("events", flow, KafkaSource([brokers], ["sales"], tail=False, batch_size=10000))
    lines = op.map("lines", records, lambda record: (record.key.decode(), record.value.decode()))
    op.output("files", lines, DirSink(Path(out), 3, file_namer=lambda number, _: f"part-{number}.json", assign_file=int))
    run_main(flow)


JOBS = {"polars-parquet": polars_parquet, "polars-delta": polars_delta, "pyarrow-delta": pyarrow_delta, "duckdb-parquet": duckdb_parquet,
        "sail-delta": sail_delta, "spark-delta": spark_delta, "bytewax-files": bytewax_files}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
