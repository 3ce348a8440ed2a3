"""The store's own tests (C, TAP) against the real S3 server: conditional writes, races, parts, listings, errors."""

import subprocess


def test_store_against_the_server(debug, s3, name):
    env = debug.environment({**s3.client_environment(), "SF_TEST_BUCKET": s3.bucket(name)})
    run = subprocess.run([debug.build / "tests" / "plugins" / "kit_store_server"], env=env, text=True, capture_output=True, timeout=300)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert run.stdout.count("\nok ") >= 7 and "not ok" not in run.stdout
