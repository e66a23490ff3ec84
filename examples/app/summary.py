#!/usr/bin/python3
"""summary.py: the demo's last lines, from what godwit, the workload and psql reported.

    summary.py STATUS.json APPLY.log WORKLOAD.json COMPARE.log

STATUS.json is `godwit status --format json`, APPLY.log what `godwit apply` printed, WORKLOAD.json the
workload's summary, COMPARE.log what compare.sh printed. Status 1 if any of them reports a difference.
"""

import json
import re
import sys


def size(count):
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB"):
        if count < 10240:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"


def main():
    """Prints the summary."""
    with open(sys.argv[1], encoding="utf-8") as f:
        status = json.load(f)
    with open(sys.argv[2], encoding="utf-8") as f:
        lag = re.search(r"^lag at cutover +(.*)$", f.read(), re.MULTILINE)
    with open(sys.argv[3], encoding="utf-8") as f:
        traffic = json.load(f)
    with open(sys.argv[4], encoding="utf-8") as f:
        compared = f.read().strip().splitlines()[-1]

    rows = [
        ("copied", f"{status['rows_copied']} rows, {size(status['bytes_copied'])}, "
                   f"{status['relations_copied']} tables and partitions"),
        ("changes applied", f"{status['changes_applied']} in {status['transactions_applied']} transactions"),
        ("lag at cutover", lag.group(1) if lag else "not reported"),
        ("downtime", f"{status['downtime_ms']} ms (by godwit)"),
        ("", f"{traffic.get('client_downtime_ms', 'not measured')} ms (by the writer: last commit on the "
             "source to first write that the target takes)"),
        ("writer", f"{traffic['committed']} transactions committed, {len(traffic['errors'])} errors"),
        ("relations verified", f"{status['relations_verified']} by godwit, {status['differences']} differences"),
        ("compared by psql", compared),
    ]
    for title, text in rows:
        print(f"{title:<20}{text}")
    return 0 if status["differences"] == 0 and compared.endswith(": 0 differences") \
        and not traffic["errors"] and traffic.get("client_downtime_ms") is not None else 1


if __name__ == "__main__":
    sys.exit(main())
