#!/bin/bash
# demo.sh: a live migration, start to end, on this machine. `make demo` calls it.
#
# Starts a source (PostgreSQL 15) and a target (PostgreSQL 17 with TimescaleDB) from the lab, loads the
# example shop, lets a workload write to it all the time, migrates it with plan.yaml, and proves the
# result twice: by godwit, and by psql without godwit. Stops everything that it started, however it ends.
#
#   DEMO_SCALE=0.01 examples/app/demo.sh     smaller data (default 1: 2.6 million rows)
#   DEMO_RATE=60                             transactions per second of the workload
#   DEMO_SECONDS=8                           how long to replicate before the approval
#   DEMO_KEEP=1                              keep logs and the review of the SQL in build/demo
#   GODWIT_BIN=...                           use this engine instead of building a release
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)
cd "$repo"
export LAB_DIR=${LAB_DIR:-.lab}
scale=${DEMO_SCALE:-1}
rate=${DEMO_RATE:-60}
replicate_s=${DEMO_SECONDS:-8}
python=/usr/bin/python3
plan=examples/app/plan.yaml
work=$(mktemp -d "${TMPDIR:-/tmp}/godwit-demo.XXXXXX")
chmod 755 "$work"
workload_pid='' apply_pid='' tail_pid='' signalled=''
failed=0
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' plain=$'\e[0m'
fi

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Prints a command as the user would type it, then runs it.
run()
{
    printf '%s$ %s%s\n' "$bold" "$*" "$plain"
    "$@"
}

# Ends one process that we started: politely, then not.
end_process()
{
    local pid=$1
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 0
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

cleanup()
{
    local status=$?
    trap - EXIT
    # A signal may have ended a command just before its own trap ran: it decides the status.
    trap 'signalled=130' INT
    trap 'signalled=143' TERM
    :
    trap '' INT TERM
    # What Ctrl-C ended besides may have been seen first: apply says by its status that it was that.
    if [ -z "$signalled" ] && [ "$status" -ne 0 ] && [ -n "$apply_pid" ] && ! apply_runs; then
        wait "$apply_pid" || signalled=$?
        [ "$signalled" = 130 ] || signalled=''
    fi
    status=${signalled:-$status}
    end_process "$workload_pid"
    end_process "$apply_pid"
    end_process "$tail_pid"
    for side in source target; do
        if [ -d "$work/$side" ]; then
            stop_server "$work/$side" || true
        fi
    done
    if [ "$status" -ne 0 ] || [ -n "${DEMO_KEEP:-}" ]; then
        mkdir -p build/demo
        cp "$work"/*.log "$work"/*.json "$work"/*.sql build/demo/ 2>/dev/null || true
        say "logs are in build/demo" >&2
    fi
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
trap 'signalled=130; exit 130' INT
trap 'signalled=143; exit 143' TERM

# ---- servers ------------------------------------------------------------------------------------

# Without root and without a lab, whatever PostgreSQL the machine has serves both sides.
find_programs()
{
    if make --no-print-directory lab || [ -e "$LAB_DIR/done" ]; then
        lab=1
        return
    fi
    [ "$(id -u)" -ne 0 ] || die "the lab could not be made, see above"
    lab=''
    bin=$(find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V | tail -n 1)
    [ -n "$bin" ] || die "no PostgreSQL server in /usr/lib/postgresql: run make demo as root, or as root" \
        "apt-get install postgresql-15"
    say "demo: no lab, so $("$bin/postgres" --version) serves both sides and no table becomes a hypertable;" >&2
    say "demo: to get TimescaleDB, run make lab as root, or install what it named above" >&2
    sed '/^hypertables:/,/^$/d' "$here/plan.yaml" >"$work/plan.yaml"
    plan=$work/plan.yaml
}

# start_server DIR FLAVOUR: prints the port.
start_server()
{
    if [ -n "$lab" ]; then
        tests/lab/cluster start --dir "$1" --flavor "$2" --set shared_buffers=128MB --set max_wal_size=4GB
        return
    fi
    local port
    port=$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir -p "$1"
    "$bin/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$1/initdb.log"
    cat >>"$1/data/postgresql.conf" <<CONF
port = $port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_level = logical
fsync = off
shared_buffers = 128MB
max_wal_size = 4GB
CONF
    "$bin/pg_ctl" -D "$1/data" -l "$1/server.log" -w start >/dev/null
    echo "$port"
}

stop_server()
{
    if [ -n "$lab" ]; then
        tests/lab/cluster stop --dir "$1" --remove
    else
        "$bin/pg_ctl" -D "$1/data" -m fast -w stop >/dev/null
    fi
}

# ---- what godwit says ---------------------------------------------------------------------------

# Whether the run stands at the approval: that step runs.
waits_for_approval()
{
    # A signal that comes while bash waits for a foreground command which handles it itself is lost to
    # bash's own trap; one that comes during "wait" is not.
    "$godwit" status "$plan" --format json >"$work/now.json" 2>/dev/null &
    wait $! || true
    $python -c '
import json, sys
try:
    steps = json.load(sys.stdin).get("steps", [])
except ValueError:
    steps = []
sys.exit(not any(s["id"] == "approval" and s["state"] == "running" for s in steps))' <"$work/now.json"
}

apply_runs() { kill -0 "$apply_pid" 2>/dev/null; }

# Waits until the run stands at the approval gate; a run that ends before that has failed.
wait_for_gate()
{
    local end=$((SECONDS + 1800))
    until waits_for_approval; do
        apply_runs || { wait "$apply_pid" || die "apply ended with status $?"; die "apply ended before the gate"; }
        [ "$SECONDS" -lt "$end" ] || die "not at the gate after half an hour"
        sleep 0.5 & wait $!
    done
}

# ---- the demo -----------------------------------------------------------------------------------

find_programs
if [ -n "${GODWIT_BIN:-}" ]; then
    godwit=$GODWIT_BIN
else
    make --no-print-directory VARIANT=release build
    godwit=$repo/build/release/godwit
fi
[ -x "$godwit" ] || die "no engine at $godwit"
godwit() { "$godwit" "$@"; }

heading "Two servers"
source_port=$(start_server "$work/source" pg15)
target_port=$(start_server "$work/target" pg17)
export SOURCE="host=127.0.0.1 port=$source_port dbname=shop user=postgres"
export TARGET="host=127.0.0.1 port=$target_port dbname=shop user=postgres"
for port in "$source_port" "$target_port"; do
    psql -X -q -v ON_ERROR_STOP=1 -d "host=127.0.0.1 port=$port dbname=postgres user=postgres" -c 'CREATE DATABASE shop'
done
if [ -n "$lab" ]; then
    psql -X -q -v ON_ERROR_STOP=1 -d "$TARGET" -c 'CREATE EXTENSION timescaledb' 2>/dev/null
fi
version_of() { psql -X -At -d "$1" -c "SELECT 'PostgreSQL ' || current_setting('server_version')
    || coalesce((SELECT ', TimescaleDB ' || extversion FROM pg_extension WHERE extname = 'timescaledb'), '')"; }
say "source: $(version_of "$SOURCE"), port $source_port"
say "target: $(version_of "$TARGET"), port $target_port"

heading "An application database (scale $scale), and an application that never stops writing"
say "$(SCALE=$scale "$here/load.sh" "$SOURCE")"
$python "$here/workload.py" run --rate "$rate" --log "$work/txn.log" --summary "$work/workload.json" \
    --then-env TARGET >"$work/workload.log" 2>&1 &
workload_pid=$!
say "the workload writes $rate transactions per second on 4 connections"

heading "Is the plan right? (touches no server)"
run godwit validate "$plan"
heading "Will both servers let it happen? (reads only)"
run godwit check "$plan"
heading "What will be done? (reads only; every statement: build/demo with DEMO_KEEP=1)"
godwit plan "$plan" --format sql >"$work/review.sql"
run godwit plan "$plan" | tail -n 25

heading "Do it"
say "\$ godwit apply plan.yaml &"
touch "$work/apply.log"
"$godwit" apply "$plan" >"$work/apply-result.log" 2>"$work/apply.log" &
apply_pid=$!
# One line per step is too much for a tour: the small ones are left out here.
tail -n +1 -f --pid="$apply_pid" "$work/apply.log" |
    grep --line-buffered -Ev '\[(analyze|constraint|copy|foreign_key|index|validate)[:].*done in|^warning G|^  (why|fix): ' &
tail_pid=$!
wait_for_gate
sleep "$replicate_s" & wait $!
kill -0 "$workload_pid" 2>/dev/null || die "the workload ended too early: $(cat "$work/workload.log")"

heading "Copied, verified, replicating; waiting for a human"
run godwit status "$plan"
heading "A human says yes"
run godwit approve "$plan"
run godwit cutover "$plan"
wait "$apply_pid" || die "apply ended with status $?"
apply_pid=
wait "$workload_pid" || { cat "$work/workload.log"; die "the workload failed"; }
workload_pid=
godwit status "$plan" --format json >"$work/status.json"

heading "Proof without godwit"
"$here/compare.sh" "$SOURCE" "$TARGET" | tee "$work/compare.log" || failed=1
audit=$($python "$here/workload.py" check --log "$work/txn.log") || failed=1
say "writer's log against the target: $audit"
hypertables=0
if [ -n "$lab" ]; then
    psql -X -P pager=off -d "$TARGET" -c "SELECT hypertable_schema || '.' || hypertable_name AS hypertable,
        num_chunks AS chunks FROM timescaledb_information.hypertables ORDER BY 1"
    hypertables=$(psql -X -At -d "$TARGET" -c "SELECT count(*) FROM timescaledb_information.hypertables")
    [ "$hypertables" -eq 2 ] || { say "expected 2 hypertables"; failed=1; }
fi

heading "Summary"
$python "$here/summary.py" "$work/status.json" "$work/apply-result.log" "$work/workload.json" "$work/compare.log" || failed=1
[ "$failed" -eq 0 ] || die "something above is not as it should be"
