"""Servers that are there already, named by a connection string: for tests that need what the lab does not have.

    GODWIT_TEST_TSL_TARGET='host=... user=postgres'           TimescaleDB's community edition
    GODWIT_TEST_TSL_SOURCE='host=... port=... user=postgres'  the same on another server, wal_level logical
    GODWIT_TEST_SOURCE_95='host=... port=... user=postgres'   and _96, _11, _12: what the lab does not have,
                                                              wal_level logical, replication let in by pg_hba.conf

The user is a superuser; tests make databases of their own there. Without such a server its tests do not exist: they
are no skips.
"""
import contextlib
import os

import cluster
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

TSL_TARGET = "GODWIT_TEST_TSL_TARGET"
TSL_SOURCE = "GODWIT_TEST_TSL_SOURCE"
SOURCES = {version: f"GODWIT_TEST_SOURCE_{version.replace('.', '')}" for version in ("9.5", "9.6", "11", "12")}

# Files whose tests need such servers: all that are listed.
NEEDED = {"scenario/test_native_target.py": [TSL_TARGET],
          "scenario/test_native_mirror.py": [TSL_SOURCE, TSL_TARGET],
          "scenario/test_native_carry.py": [TSL_SOURCE, TSL_TARGET],
          "scenario/test_native_chunks.py": [TSL_SOURCE, TSL_TARGET]}


def sources():
    """The versions for which a server is named."""
    return [version for version, variable in SOURCES.items() if os.environ.get(variable)]


def not_applicable():
    """The files of which no test applies here, each with what names no server."""
    missing = {path: [one for one in needed if not os.environ.get(one)] for path, needed in NEEDED.items()}
    return {path: lists for path, lists in missing.items() if lists}


class NamedServer:
    """Does for harness.Database what a cluster of the lab does; the server itself is not touched."""

    pid = "named"

    def __init__(self, variable):
        self._conninfo = os.environ[variable]

    @property
    def port(self):
        """The server's port."""
        return int(conninfo_to_dict(self._conninfo).get("port", 5432))

    def conninfo(self, database, user=None, port=None, **more):
        """A connection string to a database of it; the user is the one that was named."""
        del user
        return make_conninfo(self._conninfo, dbname=database, **({"port": port} if port else {}), **more)

    def connect(self, database, options=None, **more):
        """A connection in autocommit; options are left out, an old server does not know them."""
        del options
        return psycopg.connect(self.conninfo(database), **{"autocommit": True, **more})

    def _base(self):
        return contextlib.closing(self.connect(conninfo_to_dict(self._conninfo).get("dbname", "postgres")))

    def create_database(self, name, extensions=()):
        """A database of this name that holds only these extensions."""
        with self._base() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        if extensions:
            with contextlib.closing(self.connect(name)) as connection:
                for extension in extensions:
                    connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(extension)))

    def drop_database(self, name):
        """Drop it with its sessions and slots."""
        with self._base() as connection:
            cluster.drop_database(connection, name)
