#!/usr/bin/python3
"""Judge the repository's plans with PyYAML and the JSON Schema, as the engine does.

Good plans must load and pass. A list of wrong ones, which differ from a good one in one place, must
fail: the schema is not merely permissive. Prints a line with the number of plans; run from the root.
"""
import copy
import glob
import json
import sys

import jsonschema
import yaml

GOOD = sorted(glob.glob("tests/plans/good/*.yaml") + glob.glob("plans/*.yaml")
              + glob.glob("examples/*/plan.yaml"))

# (path of the change, new value); None removes the key
WRONG = [
    (("version",), 2), (("version",), "1"), (("name",), "Bad-Name"), (("name",), None),
    (("source", "kind"), "tiger_cloud"), (("source", "kind"), None), (("source", "service"), "x"),
    (("source", "conninfo_env"), None), (("source", "conninfo_env"), "$A"),
    (("source", "expect"), {"port": 0}), (("source", "max_connections"), 1),
    (("select",), {"exclude": ["a.b"]}), (("select", "tables"), ["orders"]),
    (("select", "tables"), [{"optional": True}]), (("select", "schemas"), []),
    (("select", "map"), []), (("roles",), {"copy": 1}), (("nonsense",), 1),
    (("replication",), {"plugin": "wal2json"}), (("replication",), {"publish": []}),
    (("replication",), {"publish": ["insert", "insert"]}), (("apply",), {"lanes": 65}),
    (("replication",), {"heartbeat": "10"}), (("limits",), {"memory": "512Mb"}),
    (("copy",), {"vacuum": "true"}), (("copy",), {"table_jobs": 0}),
    (("cutover",), {"stop_writes": {"method": "shell"}}),
    (("cutover",), {"gates": {"stable_for": "1 month"}}),
    (("hypertables",), [{"target_table": "a.b"}]),
    (("hypertables",), [{"target_table": "~a", "by_range": {"column_name": "t"}}]),
    (("hypertables",), [{"target_table": "a.b",
                         "by_range": {"column_name": "t", "partition_interval": 0}}]),
]


def changed(plan, path, value):
    """Return a copy of the plan with one change."""
    plan = copy.deepcopy(plan)
    place = plan
    for key in path[:-1]:
        place = place[key]
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return plan


def main():
    """Check all; exit 1 with a line per disagreement."""
    with open("schemas/plan.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    faults = []
    for path in GOOD:
        with open(path, encoding="utf-8") as file:
            plan = yaml.safe_load(file)
        for error in validator.iter_errors(plan):
            faults.append(f"{path}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
    with open("tests/plans/good/minimal.yaml", encoding="utf-8") as file:
        minimal = yaml.safe_load(file)
    for path, value in WRONG:
        plan = changed(minimal, path, value)
        if plan != minimal and validator.is_valid(plan):
            faults.append(f"the schema accepts {'.'.join(path)} = {value!r}")
    for fault in faults:
        print(fault)
    print(f"{len(GOOD)} plans agree" if not faults else f"{len(faults)} disagreements")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
