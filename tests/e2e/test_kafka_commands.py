"""topics, tap and produce, for people: passwords that are not in the command line, pipes, terminals, flags in any order."""

import json
import os
import pty
import subprocess

import pytest

HOSTILE = b"plain\x1b]0;title\x07 \x9b31m \x7f\xc2\x9b0m caf\xc3\xa9\ttab"


@pytest.fixture
def properties(broker, tmp_path):
    file = tmp_path / "client.properties"
    file.write_text(f"# of the connection\nbootstrap.servers={broker.brokers}\n\n client.id = me \n")
    return file


def test_a_file_of_properties_names_the_broker(sfrun, properties, name):
    assert "Created" in sfrun.run("topics", "create", name, "--config", properties, "--config", "max.message.bytes=5000").stdout
    assert "max.message.bytes=5000" in sfrun.run("topics", "describe", name, "--config", properties).stdout
    sfrun.run("produce", "--events", 2, "--interval", 0, "--topic", name, "--config", properties)
    assert len(sfrun.run("tap", "--topic", name, "--exit", "--config", properties).stdout.splitlines()) == 2
    wrong = sfrun.run("tap", "--topic", name, "-F", properties, "-X", "client.id=you", "-X", "no.such.thing=1", check=False)
    assert wrong.returncode == 2 and "no.such.thing" in wrong.stderr


def test_a_line_that_is_none_is_named(sfrun, properties):
    properties.write_text("client.id=me\nhello\n")
    done = sfrun.run("topics", "list", "--config", properties, check=False)
    assert done.returncode == 2 and f"{properties}:2: is not name=value" in done.stderr


@pytest.mark.parametrize("command", [("topics", "list"), ("tap", "--exit")])
def test_passwords_are_read_from_elsewhere(sfrun, broker, tmp_path, command):
    """One that cannot be read is named, and the command line never has it."""
    place = tmp_path / "password"
    flags = ["-b", broker.brokers, "-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=app"]
    gone = sfrun.run(*command, *flags, "-X", f"sasl.password=file:{place}", check=False)
    assert gone.returncode == 2 and "sasl.password" in gone.stderr and str(place) in gone.stderr
    failed = sfrun.run(*command, *flags, "-X", "sasl.password=exec:false", check=False)
    assert failed.returncode == 2 and "sasl.password" in failed.stderr
    place.write_text("hush\n")
    place.chmod(0o600)
    sfrun.run("topics", "list", *flags, "-X", f"sasl.password=file:{place}")


def test_json_stays_json_when_something_is_wrong(sfrun, broker):
    """What a program reads of a command that fails can be parsed: a document, lines, or nothing at all."""
    flags = ["-b", broker.brokers, "--json"]
    described = sfrun.run("topics", "describe", "nowhere", *flags, check=False)
    assert described.returncode == 1 and json.loads(described.stdout) == [] and "'nowhere'" in described.stderr
    tapped = sfrun.run("tap", "--topic", "nowhere", "--exit", *flags, check=False)
    assert tapped.returncode == 1 and tapped.stdout == "" and "'nowhere'" in tapped.stderr
    for options in (["--topic", "no topic", "--start-date", "soon"], ["--topic", "nowhere"]):
        produced = sfrun.run("produce", "--events", 1, *options, *flags, check=False)
        lines = [json.loads(line) for line in produced.stderr.splitlines()]
        assert produced.returncode != 0 and produced.stdout == "" and "ERROR" in {line["level"] for line in lines}, lines


def test_flags_stand_before_and_after_words(sfrun, broker, name):
    sfrun.run("topics", "--brokers", broker.brokers, "create", name, "-p", 2)
    for line in (["--json", "-b", broker.brokers, "describe", name], ["describe", "--json", name, "-b", broker.brokers]):
        assert f'"topic":"{name}"' in sfrun.run("topics", *line).stdout
    unknown = sfrun.run("topics", "-b", broker.brokers, "lst", check=False)
    assert unknown.returncode == 2 and "'lst'" in unknown.stderr


@pytest.mark.parametrize("records", [3, 3000])
def test_a_reader_that_has_enough_ends_it_quietly(sfrun, broker, name, records):
    """With the topic read to its end, where no further record would show that nobody reads."""
    broker.create_topic(name, 1)
    broker.produce(name, [{"value": b"line %d" % i} for i in range(records)])
    done = subprocess.run(["bash", "-c", '"$0" tap --topic "$1" --from-beginning | head -n 1; echo "${PIPESTATUS[0]}"', sfrun.binary, name],
                          env=sfrun.environment({"KAFKA_BROKERS": broker.brokers}), text=True, capture_output=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["line 0", "0"] and done.stderr == ""


@pytest.mark.parametrize("flags, speaks", [(["--quiet"], False), ([], True)], ids=["quiet", "loud"])
def test_quiet_is_quiet_on_a_terminal_too(sfrun, broker, name, flags, speaks):
    broker.create_topic(name, 1)
    ours, theirs = pty.openpty()
    subprocess.run([sfrun.binary, "produce", "--topic", name, "--events", "5", "--interval", "0", *flags], stderr=theirs, check=True,
                   timeout=60, env=sfrun.environment({"KAFKA_BROKERS": broker.brokers}))
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 10000)
    except BlockingIOError:
        shown = b""
    assert (b"events 5" in shown) == speaks and bool(shown) == speaks, shown


@pytest.mark.parametrize("flags, expected", [
    ([], "plain\\x1b]0;title\\x07 \\x9b31m \\x7f\\x9b0m café\ttab"),
    (["--json"], '"value":"plain'),
], ids=["plain", "json"])
def test_records_do_not_speak_to_a_terminal(sfrun, broker, name, flags, expected):
    broker.create_topic(name, 1)
    value = HOSTILE if not flags else HOSTILE.replace(b"\x9b31m", b"")
    broker.produce(name, [{"value": value, "headers": {"h": b"\x1b[2J"}}])
    ours, theirs = pty.openpty()
    subprocess.run([sfrun.binary, "tap", "--topic", name, "--exit", "--headers", *flags], stdout=theirs, check=True, timeout=60,
                   env=sfrun.environment({"KAFKA_BROKERS": broker.brokers}))
    shown = os.read(ours, 10000).decode()
    assert expected in shown
    assert not [c for c in shown if c < " " and c not in "\r\n\t" or "\x7f" <= c <= "\x9f"], repr(shown)
    piped = subprocess.run([sfrun.binary, "tap", "--topic", name, "--exit"], capture_output=True, check=True, timeout=60,
                           env=sfrun.environment({"KAFKA_BROKERS": broker.brokers}))
    assert piped.stdout == value + b"\n", "a file gets the bytes as they are"
