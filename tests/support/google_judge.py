# SPDX-License-Identifier: Apache-2.0
"""Request bodies read strictly by the message classes of google-cloud-compute: google_judge.py FILE.

A line of FILE is the name of a message and its JSON. Members that the message does not have, values
of another type and words that are none of an enumeration's are told, one a line; nothing else is.
"""
import json
import sys

from google.cloud import compute_v1
from google.protobuf import json_format


def words_of(message, member):
    """The words of a member that is text in the message and an enumeration in its documentation."""
    known = getattr(message, "".join(part.capitalize() for part in member.split("_")), None)
    return [one.name for one in known] if known is not None and hasattr(known, "__members__") else None


def check_words(message, value, path):
    for field, found in value.ListFields():
        here = f"{path}.{field.json_name}"
        words = words_of(message, field.name) if field.type == field.TYPE_STRING else None
        if words and isinstance(found, str) and found not in words:
            yield f"{here}: {found} is none of {len(words)} known words"
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        below = getattr(compute_v1, field.message_type.name, None)
        for one in found if not hasattr(found, "ListFields") else [found]:
            yield from check_words(below, one, here)


def check(line):
    name, text = line.split(" ", 1)
    message = getattr(compute_v1, name)
    json.loads(text)
    try:
        value = json_format.Parse(text, message.pb()(), ignore_unknown_fields=False)
    except json_format.ParseError as wrong:
        return [str(wrong).splitlines()[0]]
    return list(check_words(message, value, name))


for number, line in enumerate(open(sys.argv[1], encoding="utf-8"), 1):
    for wrong in check(line):
        print(f"{number} {wrong}")
