#!/usr/bin/env python3
"""judge.py CRON_NEXT [COUNT [SEED]]: random expressions in random time zones, half of them around a moment when clocks are set.

croniter says which times of the clock an expression names, zoneinfo (PEP 495) when the clock of a zone shows them. What is ours:
how a time counts that is skipped or comes twice, and that one of two day fields is enough (core/config/cron.h). Left out of the
expressions, since croniter 6.0.0 has them otherwise than crontab(5), or refuses them: N-N (the whole field there), ranges over the
end with a step (one value too few), days from 29 on (1 March is passed over in `1,31`), weekdays with # or L beside others.
"""
import collections
import datetime
import random
import subprocess
import sys
import zoneinfo

import croniter

COUNT, MOMENTS = 1500, 5
UTC = datetime.timezone.utc
MINUTE, DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)
FIELDS = [(0, 59, None), (0, 23, None), (1, 28, None), (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec".split()),
          (0, 7, "sun mon tue wed thu fri sat sun".split())]


def value(r, field, n):
    low, _, words = FIELDS[field]
    word = words[n - low] if words and r.random() < 0.4 else str(n)
    return word.upper() if r.random() < 0.3 else word


def item(r, field):
    low, high, _ = FIELDS[field]
    kind, first, last = r.random(), r.randint(low, high), r.randint(low, high)
    if kind < 0.45:
        return value(r, field, first)
    if kind < 0.6:
        return f"1-28/{r.randint(1, 40)}" if field == 2 else f"*/{r.randint(1, 40)}"
    if kind < 0.7:
        until = "-28" if field == 2 else ""
        return f"{value(r, field, min(first, 5 if field == 4 else high - 1))}{until}/{r.randint(1, 9)}"
    if first == last or {first, last} == {0, 7} and field == 4:
        return value(r, field, first)
    if kind < 0.8 or field == 4:
        return f"{value(r, field, first)}-{value(r, field, last)}"
    first, last = sorted((first, last))
    return f"{value(r, field, first)}-{value(r, field, last)}/{r.randint(1, 9)}"


def expression(r):
    fields = []
    for field, star in enumerate((0.2, 0.3, 0.5, 0.7, 0.5)):
        kind = r.random()
        if kind < star:
            fields.append("?" if field in (2, 4) and r.random() < 0.2 else "*")
        elif field == 2 and r.random() < 0.15:
            fields.append("L")
        elif field == 4 and fields[2] in "*?" and r.random() < 0.4:
            fields.append(r.choice([f"L{r.randint(0, 6)}", f"{r.randint(0, 6)}#{r.randint(1, 5)}"]))
        else:
            fields.append(",".join(item(r, field) for _ in range(r.choice((1, 1, 1, 2, 3)))))
    return " ".join(fields)


def changes(zone, r):
    """A moment when the zone's clocks are set between 2000 and 2037, or none."""
    start = datetime.datetime(r.randint(2000, 2036), 1, 1, tzinfo=UTC)
    offsets = [(start + DAY * i, (start + DAY * i).astimezone(zone).utcoffset()) for i in range(366)]
    found = [a for (a, x), (_, y) in zip(offsets, offsets[1:]) if x != y]
    return r.choice(found) if found else None


def moments(local, zone):
    """When the zone's clock shows a time: once, twice, or, where it is skipped, never."""
    both = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return sorted({m for m in both if m.astimezone(zone).replace(tzinfo=None) == local})


def behind_gap(local, zone):
    """The first moment whose clock is past a skipped time; gaps begin and end at full minutes."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)  # by the clock as it was before
    while moment.astimezone(zone).replace(tzinfo=None) > local:
        moment -= MINUTE
    return moment + MINUTE


def times_of(text, begin):
    """What the clock shows, one after the other; of two day fields each by itself."""
    fields = text.split()
    both = fields[2] not in "*?" and fields[4] not in "*?"
    for hidden in (2, 4) if both else (None,):
        shown = " ".join("*" if i == hidden else field for i, field in enumerate(fields))
        yield croniter.croniter(shown, begin, ret_type=datetime.datetime)


def expected(text, zone, after):
    begin = after.astimezone(zone).replace(tzinfo=None) - DAY - MINUTE
    every_hour = croniter.croniter.expand(text)[0][1] == ["*"]
    found = set()
    for times in times_of(text, begin):
        mine, last = set(), None
        for local in times:
            shown = moments(local, zone)
            if not shown and not every_hour:
                shown = [behind_gap(local, zone)]
            mine |= {m for m in (shown if every_hour else shown[:1]) if m > after}
            last = local if len(mine) >= MOMENTS and last is None else last
            if last is not None and local > last + 2 * DAY:
                break
        found |= mine
    return sorted(found)[:MOMENTS]


def draw(r, count):
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/")))
    for _ in range(count):
        name = r.choice(names)
        zone = zoneinfo.ZoneInfo(name)
        set_at = changes(zone, r) if r.random() < 0.5 else None
        after = set_at - DAY + MINUTE * r.randint(0, 2 * 24 * 60) if set_at else datetime.datetime.fromtimestamp(
            r.randint(946684800, 2114380800), UTC)
        yield expression(r), zone, after


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else COUNT
    cases = list(draw(random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1), count))
    lines = "".join(f"{text}\t{zone.key}\t{int(after.timestamp())}\t{MOMENTS}\n" for text, zone, after in cases)
    answers = subprocess.run([sys.argv[1]], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(answers) == len(cases)
    wrong = near = 0
    for (text, zone, after), answer in zip(cases, answers):
        want = expected(text, zone, after)
        near += len({m.astimezone(zone).utcoffset() for m in [*want, after]}) > 1
        said = " ".join(str(int(m.timestamp())) for m in want)
        wrong += answer != said
        if answer != said:
            print(f"'{text}' in {zone.key} after {after:%F %T}: {answer}, croniter and zoneinfo: {said}")
    print(f"{len(cases)} expressions, {near} of them over a change of clocks, {wrong} differ")
    assert near > count // 20
    sys.exit(wrong > 0)


main()
