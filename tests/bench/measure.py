"""What the benches share: one process timed with its children, and tables of medians."""

import hashlib
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path


def calibration():
    """CPU seconds for a fixed piece of work: tells a slow machine from a slow program."""
    block, digest, begin = bytes(1 << 20), hashlib.sha256(), time.process_time()
    for _ in range(200):
        digest.update(block)
    return time.process_time() - begin


def family(pid):
    """A process and its descendants."""
    yield pid
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in tasks.read_text().split():
            yield from family(int(child))


def watch_memory(pid, peaks):
    """The high-water mark of each process of the family: ru_maxrss would count the Python process that they were forked from."""
    while True:
        try:
            for member in family(pid):
                text = Path(f"/proc/{member}/status").read_text()
                peaks[member] = max(peaks.get(member, 0), int(re.search(r"VmHWM:\s*(\d+)", text)[1]))
        except (OSError, TypeError):  # one of them has ended
            if not Path(f"/proc/{pid}/exe").exists():
                return
        time.sleep(0.01)


def timed(command, directory, env=None):
    """Wall, CPU and peak memory of one process with the children that it waits for, and what it said with the moment when it did."""
    begin = time.time()
    process = subprocess.Popen(command, cwd=directory, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peaks = {}
    watcher = threading.Thread(target=watch_memory, args=(process.pid, peaks))
    watcher.start()
    said = [(time.time() - begin, line.rstrip()) for line in process.stdout]
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.time() - begin
    watcher.join()
    if status:
        raise RuntimeError(f"{command}: status {status}\n" + "\n".join(line for _, line in said[-20:]))
    return {"begin": begin, "wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": sum(peaks.values()) / 1024, "said": said}


def in_turn(jobs, runs):
    """Each job once a turn, so that a machine that grows slower meets all of them: the results of each, and the calibrations."""
    results, clock = {label: [] for label in jobs}, [calibration()]
    for turn in range(runs):
        for label, job in jobs.items():
            print(f"run {turn + 1} of {runs}: {label} …".ljust(60), end="\r", file=sys.stderr, flush=True)
            results[label].append(job())
        clock.append(calibration())
    print(" " * 60, end="\r", file=sys.stderr)
    return results, clock


def machine(clock):
    """What figures must be read with."""
    return f"{os.cpu_count()} cores, {os.uname().machine}, load {os.getloadavg()[0]:.1f}, calibration {min(clock):.2f}–{max(clock):.2f} s"


def median(runs, name):
    values = [run[name] for run in runs if run.get(name) is not None]
    return statistics.median(values) if values else None


def cell(value, form):
    return "–" if value is None else form.format(value)


def table(rows):
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names]
    lines = ["| " + " | ".join(name.ljust(width) for name, width in zip(names, widths)) + " |",
             "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    lines += ["| " + " | ".join(row[name].ljust(width) for name, width in zip(names, widths)) + " |" for row in rows]
    return "\n".join(lines)
