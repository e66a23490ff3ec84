#!/bin/bash
# compare.sh: are two copies of the example database the same? With psql alone, without godwit.
# Usage: compare.sh SOURCE_CONNINFO TARGET_CONNINFO      (no passwords in them: use a passfile)
# Rows and sequences must be equal; every object of the first must be there in the second. Both must
# be at rest. Prints the differences, then one line; status 0 without any difference, else 1.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: $0 SOURCE_CONNINFO TARGET_CONNINFO" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

psql -X -q -d "$1" -f "$here/compare.sql" >"$work/source" &
first=$!
psql -X -q -d "$2" -f "$here/compare.sql" >"$work/target" || { wait "$first"; exit 5; }
wait "$first" || exit 5
[ "$(grep -c '^rows|' "$work/source")" -gt 0 ] || { echo "the first database has no tables to compare" >&2; exit 1; }

for side in source target; do
    grep -v '^object|' "$work/$side" >"$work/$side.data" || true
    grep '^object|' "$work/$side" | LC_ALL=C sort >"$work/$side.objects" || true
done
diff "$work/source.data" "$work/target.data" >"$work/differences" || true
LC_ALL=C comm -23 "$work/source.objects" "$work/target.objects" | sed 's/^/missing: /' >>"$work/differences"
cat "$work/differences"

differences=$(sed -n 's/^[<>] \([^|]*|[^|]*\)|.*/\1/p; /^missing: /p' "$work/differences" | sort -u | wc -l)
rows=$(sed -n 's/^rows|.*|\([0-9]*\) rows.*/\1/p' "$work/source" | awk '{ n += $1 } END { print n + 0 }')
echo "$(grep -c '^rows|' "$work/source") tables, $rows rows, $(grep -c '^sequence|' "$work/source") sequences," \
    "$(grep -c '^object|' "$work/source") other objects compared with psql: $differences differences"
[ "$differences" -eq 0 ]
