"""One process's own way to a server, which can be cut without stopping the server for others."""

import contextlib
import socket
import threading


class Relay:
    """Passes connections on to a port. While it is away it takes them and says nothing, as a host behind a dead link does."""

    def __init__(self, port):
        self.target, self.is_away, self.open, self.lock = port, False, set(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                self.take(self.listener.accept()[0])

    def take(self, client):
        with self.lock:
            self.open.add(client)
            if self.is_away:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.open.add(server)
        for pair in ((client, server), (server, client)):
            threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self.end(source, sink)

    def end(self, *sockets):
        with self.lock:
            for each in sockets:
                self.open.discard(each)
                each.close()

    def cut(self, is_away):
        with self.lock:
            self.is_away = is_away
            sockets = list(self.open)
        for each in sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.end(*sockets)

    def away(self):
        self.cut(True)

    def back(self):
        self.cut(False)

    def close(self):
        self.listener.close()
        self.cut(True)
