#!/bin/sh
# load.sh: makes the example database's objects and rows in an existing, empty database.
# Usage: [SCALE=1] ./load.sh CONNINFO      (psql and a superuser are needed; prints the row count)
set -eu
[ $# -eq 1 ] || { echo "usage: [SCALE=1] $0 CONNINFO" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
psql -X -q -v ON_ERROR_STOP=1 -d "$1" -f "$here/schema.sql"
psql -X -q -v ON_ERROR_STOP=1 -v scale="${SCALE:-1}" -d "$1" -f "$here/load.sql"
psql -X -q -At -v ON_ERROR_STOP=1 -d "$1" <<'SQL'
CREATE TEMPORARY TABLE counted (n bigint);
SELECT format('INSERT INTO counted SELECT count(*) FROM %s', c.oid::regclass)
FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND s.nspname IN ('ref', 'app', 'billing', 'telemetry', 'Legacy Shop')
\gexec
SELECT count(*) || ' tables, ' || sum(n) || ' rows, ' || pg_size_pretty(pg_database_size(current_database()))
FROM counted;
SQL
