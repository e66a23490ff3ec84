"""Servers that the environment names: of versions that the lab cannot make.

    GODWIT_TEST_SOURCE_95='host=... port=... user=postgres'   (and _96, _10, _11, _12, _13)

A superuser's conninfo; wal_level logical, replication connections let in by pg_hba.conf. Tests make
databases of their own there. Without such a server they do not exist: they are no skips.
"""
import os

import psycopg
from psycopg.conninfo import make_conninfo

VARIABLES = {version: f"GODWIT_TEST_SOURCE_{version.replace('.', '')}"
             for version in ("9.5", "9.6", "10", "11", "12", "13")}


def named():
    """The versions for which a server is named."""
    return [version for version, variable in VARIABLES.items() if os.environ.get(variable)]


class NamedServer:
    """What harness.Database needs of a cluster."""

    pid = 0

    def __init__(self, version):
        self.base = os.environ[VARIABLES[version]]

    def conninfo(self, dbname="postgres", user="postgres", port=None, **more):
        """A connection string; port may be a proxy's."""
        more = {**more, **({"port": port} if port else {})}
        return make_conninfo(self.base, dbname=dbname, user=user, **more)

    def connect(self, dbname="postgres", user="postgres", autocommit=True, options=None, **more):
        """A psycopg connection; options of later versions are left out."""
        del options
        return psycopg.connect(self.conninfo(dbname, user, **more), autocommit=autocommit)

    def create_database(self, name):
        """An empty database."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')

    def drop_database(self, name):
        """Drop it with its sessions and slots."""
        with self.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            connection.execute("SELECT pg_sleep(0.2)")
            connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                               "WHERE database = %s", (name,))
            connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
