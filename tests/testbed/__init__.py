"""Real servers and foreign readers on the loopback interface, for the end-to-end tests and the bench.

tests/testbed/install fetches them; here they are started on free ports, waited for, and stopped by pid.
"""

from .broker import Broker
from .events import BROKEN, Sales
from .kafka import Kafka
from .lake import Spark, TableReaders
from .postgres import Postgres
from .relay import Relay
from .s3 import S3
from .sfrun import LIBRDKAFKAS, Sfrun

__all__ = ["BROKEN", "LIBRDKAFKAS", "Broker", "Kafka", "Postgres", "Relay", "S3", "Sales", "Sfrun", "Spark", "TableReaders"]
