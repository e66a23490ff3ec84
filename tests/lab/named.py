"""A server that is there already, named by a connection string: for tests that need what the lab does not have."""
import contextlib

import psycopg
from psycopg import sql


class NamedServer:
    """Does for harness.Database what a cluster of the lab does; the server itself is not touched."""

    pid = "named"

    def __init__(self, conninfo):
        self._conninfo = conninfo

    @property
    def port(self):
        """The server's port."""
        return int(psycopg.conninfo.conninfo_to_dict(self._conninfo).get("port", 5432))

    def conninfo(self, database, user=None, port=None, **more):
        """A connection string to a database of it; the user is the one that was named."""
        del user
        given = {"port": port} if port else {}
        return psycopg.conninfo.make_conninfo(self._conninfo, dbname=database, **given, **more)

    def connect(self, database, **options):
        """A connection in autocommit."""
        return psycopg.connect(self.conninfo(database), **{"autocommit": True, **options})

    def _run(self, statement, name):
        base = psycopg.conninfo.conninfo_to_dict(self._conninfo).get("dbname", "postgres")
        with contextlib.closing(self.connect(base)) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def create_database(self, name):
        """An empty database of this name."""
        self._run("CREATE DATABASE {} TEMPLATE template0", name)

    def drop_database(self, name):
        """Drop it with its sessions."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
