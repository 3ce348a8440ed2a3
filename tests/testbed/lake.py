"""Foreign readers of Delta tables: delta-rs, DuckDB, polars and Spark, each asked for the same aggregates."""

import os
from decimal import Decimal
from urllib.parse import unquote, urlsplit

import deltalake
import duckdb
import polars
import pyspark.sql

from .server import cache, installed, versions


class Spark:
    """A local Spark session with Delta Lake; s3:// tables by the S3A connector."""

    def __init__(self, directory, s3=None):
        pinned = versions()
        jars = installed(cache() / f"spark-{pinned['SPARK_VERSION']}-delta-{pinned['DELTA_VERSION']}")
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        builder = pyspark.sql.SparkSession.builder.master("local[2]").appName("streamforge-tests")
        settings = {
            "spark.driver.memory": "2g",
            "spark.driver.extraClassPath": f"{jars}/*",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
            "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
            "spark.databricks.delta.snapshotPartitions": "2",
            "spark.local.dir": str(directory),
            "spark.sql.warehouse.dir": f"{directory}/warehouse",
        }
        if s3:
            settings.update({
                "spark.hadoop.fs.s3a.endpoint": s3.endpoint,
                "spark.hadoop.fs.s3a.path.style.access": "true",
                "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
                "spark.hadoop.fs.s3a.access.key": s3.access_key,
                "spark.hadoop.fs.s3a.secret.key": s3.secret_key,
            })
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")

    def stop(self):
        self.session.stop()


def plain(row):
    """One row of aggregates in one form: 2, 2.0 and Decimal("2.00") are the same."""
    return tuple(format(Decimal(str(value)).normalize(), "f") if isinstance(value, (int, float, Decimal)) else str(value)
                 for value in row)


class TableReaders:
    """One Delta table, local or on S3, and its readers. `select` is SQL that all of them understand, over the table `t`."""

    def __init__(self, url, s3=None, spark=None):
        self.url = url
        self.s3 = s3
        self.spark = spark
        options = {}
        if s3:
            options = {"AWS_ENDPOINT_URL": s3.endpoint, "AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key,
                       "AWS_REGION": s3.region, "AWS_ALLOW_HTTP": "true"}
        self.table = deltalake.DeltaTable(url, storage_options=options or None)

    def arrow(self):
        return self.table.to_pyarrow_table()

    def paths(self):
        """The active files on the local disk, where the S3 server keeps its objects too."""
        root = f"{self.s3.data}/" if self.s3 else "/"
        return [root + unquote(urlsplit(uri).netloc + urlsplit(uri).path).lstrip("/") for uri in self.table.file_uris()]

    def delta_rs(self, select):
        rows = deltalake.QueryBuilder().register("t", self.table).execute(select).read_all()
        columns = [rows.column(i).to_pylist() for i in range(rows.num_columns)]
        return sorted(plain(row) for row in zip(*columns))

    def duckdb(self, select):
        """The active files by DuckDB's own Parquet reader."""
        connection = duckdb.connect()
        connection.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet({self.paths()!r}, hive_partitioning = true)")
        return sorted(plain(row) for row in connection.execute(select).fetchall())

    def polars(self, select):
        frame = polars.scan_parquet(self.paths(), hive_partitioning=True, glob=False)
        return sorted(plain(row) for row in polars.SQLContext(t=frame).execute(select, eager=True).rows())

    def by_spark(self, select):
        self.spark.session.read.format("delta").load(self.url.replace("s3://", "s3a://")).createOrReplaceTempView("t")
        return sorted(plain(row) for row in self.spark.session.sql(select).collect())

    def all(self, select):
        """The rows that every reader gives for `select`; fails when they differ."""
        answers = {"delta-rs": self.delta_rs(select), "duckdb": self.duckdb(select), "polars": self.polars(select)}
        if self.spark:
            answers["spark"] = self.by_spark(select)
        first = answers["delta-rs"]
        different = {name: rows for name, rows in answers.items() if rows != first}
        assert not different, f"readers differ on {select}: delta-rs {first}, others {different}"
        return first
