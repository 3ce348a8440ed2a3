"""A server process: started in a directory of its own, waited for, stopped by pid. Ends with the test run, however that ends."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PR_SET_PDEATHSIG = 1


def versions():
    lines = (HERE / "versions").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def cache():
    return Path(os.environ.get("SF_CACHE") or Path.home() / ".cache" / "streamforge")


def installed(path):
    if not path.exists():
        raise RuntimeError(f"{path} is missing: run tests/testbed/install")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_for(condition, seconds, what, every=0.05):
    """Returns the first true value of condition(); fails with `what` (a text, or a function that gives it) after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds} s: {what() if callable(what) else what}")
        time.sleep(every)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """Subclasses give command(), ready() and, before the first start, prepare()."""

    name = "server"
    user = None
    start_seconds = 90
    stop_signal = signal.SIGTERM

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.log = self.directory / "server.log"
        self.process = None
        self.prepared = False

    def prepare(self):
        pass

    def environment(self):
        return dict(os.environ)

    def start(self):
        if self.process:
            return self
        if not self.prepared:
            self.prepare()
            self.prepared = True
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                                            env=self.environment(), user=self.user, start_new_session=True,
                                            preexec_fn=die_with_parent)
        try:
            wait_for(self.settled, self.start_seconds, lambda: f"{self.name} is not ready\n{self.log_tail()}")
        except TimeoutError:
            self.kill()
            raise
        return self

    def settled(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with status {self.process.returncode} at its start\n{self.log_tail()}")
        return self.ready()

    def stop(self):
        """A clean stop; the data stays, start() goes on with it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.reap()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        self.reap()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def reap(self):
        if self.process:
            self.process.wait()
            self.process = None

    def log_tail(self, size=3000):
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""
