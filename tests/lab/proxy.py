"""A TCP proxy that breaks connections on purpose.

    with Proxy(cluster.port) as proxy:
        proxy.cut_after(100_000)         # the next connection that brings so much is cut
        ... connect to 127.0.0.1:proxy.port ...

It passes everything until told otherwise: cut() now, cut_after(n) bytes, stall() and go_on(),
delay(seconds), refuse() and accept(). Bytes "down" go from the server to the client, "up" the other
way. A cut is a reset, which is what a dead peer or a firewall looks like.
"""
import socket
import struct
import threading
import time

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)


class _Connection:
    """One client's pair of sockets and how much they carried."""

    def __init__(self, client, server):
        self.client = client
        self.server = server
        self.carried = {"up": 0, "down": 0}

    def cut(self):
        """Reset both sides."""
        for sock in (self.client, self.server):
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes bytes to a server's port."""

    def __init__(self, server_port, server_host="127.0.0.1"):
        self._server = (server_host, server_port)
        self._lock = threading.Lock()
        self._connections = set()
        self._moving = threading.Event()
        self._moving.set()
        self._delay_s = 0.0
        self._cut_left = None
        self._cut_direction = "down"
        self._refusing = False
        self._closed = False
        self.cuts = 0
        self.accepted = 0
        self.carried = {"up": 0, "down": 0}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- what a test asks for -------------------------------------------------------------------

    def cut(self):
        """Reset all connections now; new ones are passed. Returns how many were cut."""
        with self._lock:
            victims = list(self._connections)
            self._connections.clear()
            self.cuts += len(victims)
        for connection in victims:
            connection.cut()
        return len(victims)

    def cut_after(self, size_bytes, direction="down"):
        """Reset once, the connection that carries the last of the next size_bytes in all.

        Exactly size_bytes are passed first, so that a message can be cut in its middle.
        """
        with self._lock:
            self._cut_left = size_bytes
            self._cut_direction = direction

    def stall(self):
        """Stop carrying bytes; connections stay open."""
        self._moving.clear()

    def go_on(self):
        """End a stall."""
        self._moving.set()

    def delay(self, seconds):
        """Hold every chunk for so long, each way."""
        self._delay_s = seconds

    def refuse(self):
        """Reset all connections and every new one, until accept()."""
        self._refusing = True
        self.cut()

    def accept(self):
        """End refuse()."""
        self._refusing = False

    @property
    def connections(self):
        """How many connections are open."""
        with self._lock:
            return len(self._connections)

    def close(self):
        """Reset everything and stop listening."""
        self._closed = True
        self._moving.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        self.cut()

    # ---- threads --------------------------------------------------------------------------------

    def _accept(self):
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                client.close()
                continue
            try:
                server = socket.create_connection(self._server, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for sock in (client, server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(client, server)
            with self._lock:
                self._connections.add(connection)
                self.accepted += 1
            for direction, source, sink in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self._carry, args=(connection, direction, source, sink),
                                 daemon=True).start()

    def _carry(self, connection, direction, source, sink):
        try:
            while data := source.recv(CHUNK):
                if self._delay_s:
                    time.sleep(self._delay_s)
                self._moving.wait()
                allowed = self._allowance(direction, len(data))
                sink.sendall(data[:allowed])
                with self._lock:
                    self.carried[direction] += allowed
                if allowed < len(data):
                    self._cut_one(connection)
                    return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            connection.cut()
        finally:
            with self._lock:
                if source.fileno() == -1 or sink.fileno() == -1:
                    self._connections.discard(connection)

    def _allowance(self, direction, size):
        """How many of these bytes may pass before a cut that was asked for."""
        with self._lock:
            if self._cut_left is None or direction != self._cut_direction:
                return size
            if size <= self._cut_left:
                self._cut_left -= size
                return size
            allowed, self._cut_left = self._cut_left, None
            return allowed

    def _cut_one(self, connection):
        with self._lock:
            self._connections.discard(connection)
            self.cuts += 1
        connection.cut()
