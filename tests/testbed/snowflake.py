"""An emulator of Snowflake (tests/snowflake), and the ODBC configuration by which a program reaches it."""

import sys
import urllib.error
import urllib.request
from pathlib import Path

from .server import Server, free_port

HERE = Path(__file__).resolve().parents[1] / "snowflake"


class Snowflake(Server):
    name = "Snowflake's emulator"

    def __init__(self, directory, build):
        super().__init__(directory)
        self.driver = build / "tests" / "snowflake" / "sf_test_odbc.so"
        self.port = free_port()

    def prepare(self):
        (self.directory / "odbcinst.ini").write_text(f"[SnowflakeEmulator]\nDriver={self.driver}\n", encoding="utf-8")

    def command(self):
        return [sys.executable, "-W", "ignore", HERE / "server.py", str(self.port)]

    def ready(self):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=1).close()
            return True
        except (urllib.error.URLError, OSError):
            return False

    def odbc(self):
        """For the environment of what connects: the emulator's driver beside none of the system's."""
        return {"ODBCSYSINI": str(self.directory)}

    def connection(self, password="p"):
        return f"Driver=SnowflakeEmulator;Server=127.0.0.1;Port={self.port};UID=sf;PWD={password}"
