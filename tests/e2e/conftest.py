"""Fixtures: real servers, one of each for the whole run, and the two builds of sfrun. A server that is missing is a failure."""

import os
import random
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]
pytest.register_assert_rewrite("proof")

from testbed import S3, Broker, Kafka, Postgres, Sfrun, Spark  # noqa: E402


# The files that take longest, in that order (tests/run prints what each took): a worker that starts one of them last would keep
# everybody waiting.
LONGEST_FIRST = ["faults", "group", "main_job", "gold_snowflake", "gold_faults", "kafka", "outages", "silver_foreign", "kafka_sink",
                 "memory", "quickstart", "store", "walkthrough", "gold_postgres"]


def pytest_collection_modifyitems(items):
    place = {f"test_{name}": number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def servers():
    """Beside pytest's own directory: its data is large, and nobody looks at it later."""
    with tempfile.TemporaryDirectory(prefix="streamforge-e2e-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def kafka(servers, built):
    """Apache Kafka; SF_BROKER=embedded puts the embedded broker in its place, to try that one with all tests."""
    embedded = os.environ.get("SF_BROKER") == "embedded"
    server = (Broker(servers / "broker", built) if embedded else Kafka(servers / "kafka")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def broker(servers, built):
    """The embedded broker."""
    server = Broker(servers / "embedded", built).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3(servers):
    server = S3(servers / "s3").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres():
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def spark(servers, s3):
    session = Spark(servers / "spark", s3)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def built():
    """The release build as it is, for servers: they do not start anew with each version of librdkafka."""
    return Sfrun(os.environ.get("SF_RELEASE", ROOT / "build" / "release"))


@pytest.fixture(scope="session")
def sfrun(request):
    """The release build; a parameter is the version of librdkafka that it runs with."""
    return Sfrun(os.environ.get("SF_RELEASE", ROOT / "build" / "release"), getattr(request, "param", None))


@pytest.fixture(scope="session")
def debug(request):
    """The build with ASan, UBSan and fault points; likewise."""
    return Sfrun(os.environ.get("SF_DEBUG", ROOT / "build" / "asan"), getattr(request, "param", None))


@pytest.fixture
def name():
    """A name that no other test uses: for topics, groups, buckets and databases."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="session")
def seed():
    chosen = int(os.environ.get("SF_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"\nSF_SEED={chosen}")
    return chosen
