"""What the AWS workshops' transformation functions do: the timestamps, and nothing else.

Each record is decoded, parsed, given timestamps that OpenSearch knows as dates, and written again.
"""

import base64
import json
from datetime import datetime, timezone

V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
).split()
V5 = V2 + (
    "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id "
    "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
).split()


def iso(seconds):
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat()


def waf(text):
    record = json.loads(text)
    record["timestamp"] = iso(record["timestamp"] / 1000)
    return record


def guardduty(text):
    record = json.loads(text)
    finding = record.get("detail", record)
    for holder, key in (
        (finding, "createdAt"),
        (finding, "updatedAt"),
        (finding.get("service", {}), "eventFirstSeen"),
        (finding.get("service", {}), "eventLastSeen"),
    ):
        if key in holder:
            holder[key] = datetime.fromisoformat(holder[key].replace("Z", "+00:00")).isoformat()
    return record


def securityhub(text):
    record = json.loads(text)
    for finding in record.get("detail", {}).get("findings", [record]):
        for key in ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt", "ProcessedAt"):
            if key in finding:
                finding[key] = datetime.fromisoformat(finding[key].replace("Z", "+00:00")).isoformat()
    return record


def dns(text):
    record = json.loads(text)
    record["query_timestamp"] = datetime.fromisoformat(record["query_timestamp"].replace("Z", "+00:00")).isoformat()
    return record


def cloudtrail(text):
    record = json.loads(text)
    record["eventTime"] = datetime.fromisoformat(record["eventTime"].replace("Z", "+00:00")).isoformat()
    return record


def flow(names):
    def transform(text):
        record = dict(zip(names, text.split()))
        for key in ("start", "end"):
            record[key] = iso(int(record[key]))
        return record

    return transform


CASES = {
    "waf": waf,
    "guardduty": guardduty,
    "securityhub": securityhub,
    "dns": dns,
    "cloudtrail": cloudtrail,
    "vpcflow-v2": flow(V2),
    "vpcflow-v5": flow(V5),
}


def handler_for(case):
    transform = CASES[case]

    def handler(event, context):
        output = []
        for record in event["records"]:
            text = base64.b64decode(record["data"]).decode("utf-8")
            data = json.dumps(transform(text)) + "\n"
            output.append(
                {
                    "recordId": record["recordId"],
                    "result": "Ok",
                    "data": base64.b64encode(data.encode("utf-8")).decode("utf-8"),
                }
            )
        return {"records": output}

    return handler
