"""Fingerprints of providers on lab servers: their roles, settings, functions, privileges, and admin.

    profile = Profile("rds", database)      # database now looks like one on RDS
    profile.run(["CREATE ROLE ..."])        # as the admin that RDS gives, who is no superuser

Roles belong to the server and stay until forget(); everything else belongs to the database.
"""
import dataclasses

import psycopg


@dataclasses.dataclass(frozen=True)
class Print:
    """What a provider leaves on a server of its."""

    admin: str
    attributes: str = "CREATEDB CREATEROLE"
    roles: tuple = ()
    member: tuple = ()
    settings: dict = dataclasses.field(default_factory=dict)
    script: str = ""


AIVEN = """
CREATE SCHEMA aiven_extras;
CREATE FUNCTION aiven_extras.session_replication_role(arg text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF arg NOT IN ('origin', 'replica', 'local') THEN RAISE 'no such role: %', arg; END IF;
    EXECUTE 'SET SESSION session_replication_role = ' || pg_catalog.quote_literal(arg);
    RETURN pg_catalog.current_setting('session_replication_role');
END $$;
"""
SUPABASE = """
CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY, mail text);
CREATE SCHEMA realtime; CREATE TABLE realtime.messages (id int PRIMARY KEY);
CREATE FUNCTION realtime.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER pgrst_ddl_watch ON ddl_command_end EXECUTE FUNCTION realtime.watch();
"""

# What Azure's admins may not read (and pg_dump would), by its documentation.
AZURE = """
REVOKE ALL ON pg_catalog.pg_subscription FROM PUBLIC;
REVOKE ALL ON pg_catalog.pg_replication_origin_status FROM PUBLIC;
REVOKE ALL ON pg_catalog.pg_hba_file_rules, pg_catalog.pg_file_settings, pg_catalog.pg_config FROM PUBLIC;
REVOKE ALL ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC;
"""

PRINTS = {
    "rds": Print("rdsmaster", roles=("rdsadmin", "rds_superuser", "rds_replication", "rds_password"),
                 member=("rds_superuser", "rds_replication"),
                 settings={"rds.extensions": "plpgsql", "rds.logical_replication": "on"}),
    "aurora": Print("rdsmaster", roles=("rdsadmin", "rds_superuser", "rds_replication", "rds_password"),
                    member=("rds_superuser", "rds_replication"), settings={"rds.extensions": "plpgsql"},
                    script="CREATE FUNCTION public.aurora_version() RETURNS text LANGUAGE sql AS"
                           " $$ SELECT '16.4.1'::text $$"),
    "azure": Print("azadmin", "CREATEDB CREATEROLE REPLICATION", roles=("azure_pg_admin", "azuresu"),
                   member=("azure_pg_admin",), script=AZURE,
                   settings={"azure.extensions": "plpgsql",
                             "azure.enable_temp_tablespaces_on_local_ssd": "on"}),
    "neon": Print("neondb_owner", "CREATEDB CREATEROLE REPLICATION BYPASSRLS",
                  roles=("neon_superuser", "cloud_admin"), member=("neon_superuser",),
                  settings={"neon.tenant_id": "0f1e", "neon.timeline_id": "1e0f"}),
    "supabase": Print("supa_postgres", "CREATEDB CREATEROLE REPLICATION BYPASSRLS",
                      roles=("supabase_admin", "anon", "authenticated", "service_role"),
                      settings={"supautils.privileged_role": "supa_postgres", "statement_timeout": "120s"},
                      script=SUPABASE),
    "mst": Print("tsdbadmin", "CREATEDB CREATEROLE REPLICATION", roles=("aiven",), script=AIVEN),
    "tiger_cloud": Print("tsdbadmin", "CREATEDB CREATEROLE", roles=("tsdbowner", "tsdbexplorer"),
                         member=("tsdbowner",), script="CREATE SCHEMA tsdbadmin"),
    "self_hosted": Print("postgres", ""),
}


class Profile:
    """A database that looks like one of a provider's."""

    def __init__(self, kind, database):
        self.kind = kind
        self.print = PRINTS[kind]
        self.database = database
        self.admin = self.print.admin
        self._make()

    def _make(self):
        owner = self.admin
        with self.database.connect() as connection:
            for role in self.print.roles:
                self._role(connection, role, "NOLOGIN")
            if owner != "postgres":
                self._role(connection, owner, f"LOGIN {self.print.attributes}")
                connection.execute(f"GRANT pg_signal_backend, pg_read_all_stats TO {owner} WITH ADMIN OPTION")
                for role in self.print.member:
                    connection.execute(f"GRANT {role} TO {owner} WITH ADMIN OPTION")
                connection.execute(f"ALTER DATABASE {self.database.name} OWNER TO {owner}")
            for name, value in self.print.settings.items():
                connection.execute(f"ALTER DATABASE {self.database.name} SET {name} = '{value}'")
            if self.print.script:
                connection.execute(self.print.script)

    @staticmethod
    def _role(connection, role, attributes):
        there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
        if there is None:
            connection.execute(f"CREATE ROLE {role} {attributes}")

    def conninfo(self, user=None):
        """A connection string, of the admin if of nobody else."""
        return self.database.conninfo(user=user or self.admin)

    def run(self, statements):
        """Run statements as the admin; what is no SQL is done as the provider would."""
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            for statement in statements:
                if not statement.startswith("--"):
                    connection.execute(statement)
                elif "neonctl roles create" in statement:
                    self._superuser(f"CREATE ROLE {statement.split()[-1]} LOGIN REPLICATION"
                                    f" IN ROLE neon_superuser, pg_signal_backend, pg_read_all_stats")
                    self._superuser(f"GRANT {statement.split()[-1]} TO {self.admin} WITH ADMIN OPTION")
                elif "neonctl roles delete" in statement:
                    self._superuser(f"DROP ROLE {statement.split()[-1]}")

    def _superuser(self, statement):
        with self.database.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(statement)

    def forget(self):
        """Drop the database and the roles, so that the next profile finds a plain server."""
        self.database.drop()
        with self.database.cluster.connect() as connection:
            for role in (self.admin, *self.print.roles):
                if role != "postgres":
                    connection.execute(f"DROP OWNED BY {role} CASCADE")
                    connection.execute(f"DROP ROLE {role}")
