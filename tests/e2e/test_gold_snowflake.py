"""The gold sink's rules on an emulator of Snowflake, and its SQL read by a parser of Snowflake's dialect. What cannot be shown here:
the real server's locks, speed and driver (docs: facts about Snowflake are from its documentation)."""

import pytest
import sqlglot
from gold import run_rules
from testbed.snowflake import Snowflake


@pytest.fixture(scope="module")
def snowflake(servers, debug):
    server = Snowflake(servers / "snowflake", debug.build).start()
    yield server
    server.stop()


@pytest.mark.parametrize("program, rules", [("snowflake_gold_sink", 15), ("gold_values", 15), ("gold_hostile", 11), ("gold_deletes", 13)])
def test_the_same_rules_hold(debug, snowflake, program, rules):
    assert run_rules(debug, program, snowflake.connection(), snowflake.odbc()).count("\nok ") >= rules


@pytest.mark.parametrize("dialect, product, count", [("snowflake", "snowflake", 19), ("postgres", "postgresql", 25), ("sqlite", "sqlite", 21)])
def test_the_statements_are_understood(root, dialect, product, count):
    text = (root / "tests" / "plugins" / "gold_sql" / f"{product}.sql").read_text(encoding="utf-8")
    statements = sqlglot.parse(text, read=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    parsed = [statement for statement in statements if statement]
    assert len(parsed) == text.count(";\n") == count
    assert not any(isinstance(statement, sqlglot.exp.Command) for statement in parsed)  # what it gives up on
