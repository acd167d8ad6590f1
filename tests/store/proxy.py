"""A Unix socket in front of a PostgreSQL server, which can cut a connection at a commit."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

#: Cut before the server hears of the commit, or after it has answered and before the client hears of it.
When = Literal["before", "after"]


class Proxy:
    """Forwards connections; `cut_next` makes the next COMMIT the last thing its connection says.

    With `refuse` set, new connections are closed at once.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self.server = str(server / ".s.PGSQL.5432")
        self.cut_next: When | None = None
        self.refuse = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refuse:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.server)
                _Line(self, client, server)


class _Line:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.deaf = False
        for work in (self._up, self._down):
            threading.Thread(target=work, daemon=True).start()

    def _up(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(1 << 16):
                if b"COMMIT\0" in data and self.proxy.cut_next:
                    when, self.proxy.cut_next = self.proxy.cut_next, None
                    if when == "before":
                        break
                    self.deaf = True
                self.server.sendall(data)
        self._end()

    def _down(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(1 << 16):
                if self.deaf:
                    break
                self.client.sendall(data)
        self._end()

    def _end(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
