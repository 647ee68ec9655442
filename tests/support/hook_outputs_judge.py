# SPDX-License-Identifier: Apache-2.0
"""Reports of `greenlaunch hook` held against what others wrote: the SARIF 2.1.0 schema by
jsonschema, JUnit by junitparser, GitLab's code quality by a schema of what its manual asks for.

    hook_outputs_judge.py sarif SCHEMA FILE | junit FILE CASES BAD | gitlab FILE
"""
import json
import sys
import xml.etree.ElementTree

GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32,64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^./]"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def validate(schema, document):
    import jsonschema

    judge = jsonschema.validators.validator_for(schema)
    judge.check_schema(schema)
    errors = list(judge(schema).iter_errors(document))
    for error in errors[:10]:
        print(f"{error.json_path}: {error.message[:200]}")
    return not errors


def sarif(schema, path):
    with open(schema, encoding="utf-8") as file:
        rules = json.load(file)
    with open(path, encoding="utf-8") as file:
        return validate(rules, json.load(file))


def junit(path, cases, bad):
    import junitparser

    xml.etree.ElementTree.parse(path)
    suites = junitparser.JUnitXml.fromfile(path)
    found = [case for suite in suites for case in suite]
    against = [
        case
        for case in found
        if any(isinstance(r, (junitparser.Failure, junitparser.Error)) for r in case.result)
    ]
    print(f"{len(found)} cases, {len(against)} against; it says {suites.tests}")
    said = (suites.tests, suites.failures + suites.errors)
    return (len(found), len(against)) == said == (int(cases), int(bad))


def gitlab(path):
    with open(path, encoding="utf-8") as file:
        issues = json.load(file)
    prints = [issue["fingerprint"] for issue in issues]
    return validate(GITLAB, issues) and len(set(prints)) == len(prints) > 0


if __name__ == "__main__":
    sys.exit(not {"sarif": sarif, "junit": junit, "gitlab": gitlab}[sys.argv[1]](*sys.argv[2:]))
