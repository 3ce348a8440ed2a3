"""Runs the gold sink's test programs against another database than their own SQLite."""

import subprocess


def run_rules(debug, program, connection, environment=None):
    """Their output; fails with it when a rule does not hold."""
    # psqlodbc leaks a little for each statement that does not prepare
    env = {**debug.environment(environment), "SF_GOLD_CONNECTION": connection, "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([debug.build / "tests" / "plugins" / f"plugin_{program}"], env=env, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "not ok" not in done.stdout
    return done.stdout
