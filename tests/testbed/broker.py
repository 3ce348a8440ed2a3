"""The embedded broker, `sfrun broker`, in the place of a Kafka: the same questions, asked of it."""

import os

from .kafka import Kafka
from .server import free_port, port_open


class Broker(Kafka):
    name = "embedded broker"

    def __init__(self, directory, sfrun):
        super().__init__(directory)
        self.sfrun = sfrun

    def prepare(self):
        self.port = free_port()

    def command(self):
        return [str(self.sfrun.binary), "broker", "--port", str(self.port), "--dir", str(self.directory / "data")]

    def environment(self):
        return self.sfrun.environment({"XDG_RUNTIME_DIR": str(self.directory)})

    def ready(self):
        return port_open(self.port) and os.path.exists(self.directory / "data" / "journal")
