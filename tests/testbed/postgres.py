"""A private PostgreSQL cluster; run by the user postgres when the tests run as root, which PostgreSQL refuses."""

import csv
import io
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .server import Server, free_port


def binaries():
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("postgres")
    if not found:
        raise RuntimeError("PostgreSQL is missing: run packaging/deps --test")
    return Path(found).resolve().parent


class Postgres(Server):
    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": do not wait for sessions

    def __init__(self):
        self.bin = binaries()
        self.user = "postgres" if os.getuid() == 0 else None
        # Not below pytest's directory, which other users may not enter.
        directory = Path(tempfile.mkdtemp(prefix="streamforge-postgres-"))
        if self.user:
            shutil.chown(directory, self.user, self.user)
        directory.chmod(0o700)
        super().__init__(directory)

    def prepare(self):
        self.port = free_port()
        subprocess.run([self.bin / "initdb", "-D", self.directory / "data", "-U", "sf", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
                       check=True, capture_output=True, user=self.user, cwd="/")

    def command(self):
        return [self.bin / "postgres", "-D", self.directory / "data", "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
                "-k", self.directory, "-c", "fsync=off", "-c", "max_connections=30"]

    def ready(self):
        probe = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres", "-U", "sf"]
        return subprocess.run(probe, check=False).returncode == 0

    def connection(self, database="postgres"):
        return f"Driver=PostgreSQL Unicode;Server=127.0.0.1;Port={self.port};Database={database};Uid=sf"

    def database(self, name):
        self.query(f'CREATE DATABASE "{name}"')
        return name

    def query(self, sql, database="postgres"):
        """Rows as lists of text; NULL is None."""
        command = [self.bin / "psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "sf", "-d", database, "--csv", "-t",
                   "-P", "null=\\N", "-v", "ON_ERROR_STOP=1", "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(f"{sql}: {done.stderr.strip()}")
        return [[None if cell == "\\N" else cell for cell in row] for row in csv.reader(io.StringIO(done.stdout))]

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
