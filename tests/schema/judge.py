#!/usr/bin/python3
"""Judge plans with python3-jsonschema, as PyYAML reads them: one line of JSON a plan on stdout,

    {"path": ..., "valid": true|false|null, "faults": [...], "plan": what was read, if valid}

valid is null when the text is no YAML. Usage: judge.py SCHEMA PLAN...
"""
import json
import sys

import jsonschema
import yaml


def judge(validator, path):
    """The verdict on one plan."""
    verdict = {"path": path, "valid": None, "faults": [], "plan": None}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            plan = yaml.safe_load(file.read())
        verdict["faults"] = [f"/{'/'.join(map(str, e.absolute_path))}: {e.message}"
                             for e in validator.iter_errors(plan)]
        verdict["valid"] = not verdict["faults"]
        verdict["plan"] = plan if verdict["valid"] else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        verdict["faults"] = [str(error)]
    return verdict


def main(schema_file, *plans):
    """A line for each."""
    with open(schema_file, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in plans:
        print(json.dumps(judge(validator, path), default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
