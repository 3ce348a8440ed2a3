"""Servers for playing by hand, until Ctrl-C."""

import signal
import tempfile

from . import S3, Kafka, Postgres


def main():
    with tempfile.TemporaryDirectory(prefix="streamforge-") as directory:
        kafka, s3, postgres = Kafka(f"{directory}/kafka").start(), S3(f"{directory}/s3").start(), Postgres().start()
        for bucket in ("raw-bucket", "processed-bucket"):
            s3.bucket(bucket)
        print(f"export KAFKA_BROKERS={kafka.brokers}")
        for name, value in s3.client_environment().items():
            print(f"export {name}={value}")
        print(f"export GOLD_CONNECTION='{postgres.connection()}'", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass
        for server in (kafka, s3):
            server.stop()
        postgres.remove()


main()
