"""Reads Slack payloads, one JSON object a line, and checks each with slack_sdk's own Block Kit models.

    python3 -m venv target/slack && target/slack/bin/pip install slack_sdk==3.47.0
    target/slack/bin/python tests/slack/validate.py < messages.ndjson

Exit code 1, and one line per fault on standard error, when a payload would not be taken.
"""

import json
import sys

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block


def faults(payload):
    """What is wrong with one payload, in words."""
    attachments = payload.get("attachments", [])
    groups = [payload.get("blocks", [])] + [attachment["blocks"] for attachment in attachments]
    if sum(map(len, groups)) > 50:
        yield "more than 50 blocks"
    for blocks in groups:
        parsed = Block.parse_all(blocks)
        if len(parsed) != len(blocks):
            yield "a block of a type that slack_sdk does not know"
        for given, block in zip(blocks, parsed):
            try:
                written = block.to_dict()
            except SlackObjectFormationError as error:
                yield f"{given['type']}: {error}"
                continue
            if written != given:
                yield f"{given['type']}: slack_sdk reads it as {written}, given was {given}"


def main():
    """Checks every line of standard input."""
    count = wrong = 0
    for number, line in enumerate(sys.stdin, start=1):
        if not line.strip():
            continue
        count += 1
        for fault in faults(json.loads(line)):
            wrong += 1
            print(f"message {number}: {fault}", file=sys.stderr)
    if count == 0:
        print("no messages on standard input", file=sys.stderr)
    return 1 if wrong or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
