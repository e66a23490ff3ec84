"""A TCP proxy that breaks connections on purpose.

    with Proxy(cluster.port) as proxy:
        proxy.cut_after(100_000)         # the next connection that brings so much is cut
        ... connect to 127.0.0.1:proxy.port ...

It passes everything until told otherwise: cut() now, cut_after(n) bytes, stall() now, stall_after(n)
bytes and go_on(), delay(seconds), limit(bytes a second), refuse() and accept(), vanish() and come_back(). Bytes "down"
go from the server to the client, "up" the other way. A cut is a reset, which is what a dead peer or a firewall looks
like. A proxy that vanished is what a firewall looks like that drops everything, or a cable that was pulled: no segment
is taken or answered, not even one that only asks whether somebody is there.
"""
import ctypes
import select
import socket
import struct
import threading
import time

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27  # linux/socket.h; Python has no names for them


def _deaf(sock):
    """The kernel drops every segment that comes for this socket: a filter whose one instruction is "return 0"."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(nothing)))


def _hearing(sock):
    sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, struct.pack("i", 0))
    # Who gave the connection up meanwhile is found by asking, as a server's keepalives find it without a proxy between.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)


class _Ended(Exception):
    """The connection was cut, or a peer is gone."""


class _Connection:
    """One client's pair of sockets and the two threads that carry bytes between them.

    The sockets are closed by the thread that ends last, never under one that uses them; only so
    does a close with SO_LINGER 0 send a reset.
    """

    def __init__(self, client, server):
        self.sockets = (client, server)
        self.threads = []
        self.cut_now, self._waker = socket.socketpair()
        self._lock = threading.Lock()
        self._left = 2

    def cut(self):
        """Reset both sides; returns when it is done."""
        for sock in self.sockets:
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            except OSError:
                pass
        try:
            self._waker.send(b"x")
        except OSError:
            pass
        for thread in self.threads:
            if thread is not threading.current_thread() and thread.is_alive():  # the other may not have begun
                thread.join(10)

    def wait(self, read=(), write=()):
        """Wait until a socket is ready; raises _Ended when the connection was cut meanwhile."""
        readable, _, _ = select.select([*read, self.cut_now], write, [])
        if self.cut_now in readable:
            raise _Ended

    def thread_ends(self):
        """Called by each thread at its end; True for the last one, which closes the sockets."""
        with self._lock:
            self._left -= 1
            if self._left:
                return False
        for sock in (*self.sockets, self.cut_now, self._waker):
            sock.close()
        return True


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes bytes to a server's port."""

    def __init__(self, server_port, server_host="127.0.0.1"):
        self._server = (server_host, server_port)
        self._lock = threading.Lock()
        self._connections = set()
        self._moving = threading.Event()
        self._moving.set()
        self._delay_s = 0.0
        self._rate = None
        self._vanished = False
        self._cut_left = None
        self._cut_direction = "down"
        self._stall_left = None
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

    def stall_after(self, size_bytes):
        """Stall once so many bytes have come down; a chunk is passed whole."""
        with self._lock:
            self._stall_left = size_bytes

    @property
    def stalled(self):
        """Whether nothing is carried now."""
        return not self._moving.is_set()

    def go_on(self):
        """End a stall."""
        self._moving.set()

    def delay(self, seconds):
        """Hold every chunk for so long, each way."""
        self._delay_s = seconds

    def limit(self, bytes_a_second):
        """Carry so many bytes a second at most, each way on each connection; None: no limit."""
        self._rate = bytes_a_second

    def vanish(self):
        """Drop everything that comes from clients and servers, of connections that are open and new ones."""
        with self._lock:
            self._vanished = True
            for sock in self._ears():
                _deaf(sock)

    def come_back(self):
        """End vanish(): what is still tried again by then goes on."""
        with self._lock:
            self._vanished = False
            for sock in self._ears():
                _hearing(sock)

    def _ears(self):
        return [self._listener, *(sock for one in self._connections for sock in one.sockets if sock.fileno() >= 0)]

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
            for sock in (client, server):
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(client, server)
            connection.threads = [
                threading.Thread(target=self._carry, args=(connection, *way), daemon=True)
                for way in (("up", client, server), ("down", server, client))]
            with self._lock:
                self._connections.add(connection)
                self.accepted += 1
                for thread in connection.threads:  # who cuts what is listed finds both of them
                    thread.start()

    def _carry(self, connection, direction, source, sink):
        try:
            while True:
                connection.wait(read=[source])
                data = source.recv(CHUNK)
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                self._pause(connection, len(data))
                allowed = self._allowance(direction, len(data))
                with self._lock:  # before who is waiting for them can ask
                    self.carried[direction] += allowed
                self._send(connection, sink, data[:allowed])
                with self._lock:
                    self._count_to_stall(direction, allowed)
                if allowed < len(data):
                    self._cut_one(connection)
                    return
        except _Ended:
            pass
        except OSError:
            connection.cut()
        finally:
            if connection.thread_ends():
                with self._lock:
                    self._connections.discard(connection)

    def _pause(self, connection, size):
        """Hold a chunk for the delay, for its share of the limit, and as long as a stall lasts."""
        end = time.monotonic() + self._delay_s + (size / self._rate if self._rate else 0)
        while not self._moving.is_set() or time.monotonic() < end:
            if select.select([connection.cut_now], [], [], 0.01)[0]:
                raise _Ended

    @staticmethod
    def _send(connection, sink, data):
        while data:
            connection.wait(write=[sink])
            data = data[sink.send(data):]

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

    def _count_to_stall(self, direction, size):
        if self._stall_left is None or direction != "down":
            return
        self._stall_left -= size
        if self._stall_left <= 0:
            self._stall_left = None
            self._moving.clear()

    def _cut_one(self, connection):
        with self._lock:
            self._connections.discard(connection)
            self.cuts += 1
        connection.cut()
