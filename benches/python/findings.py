"""What follows from several values of a finding: GuardDuty and Security Hub.

A function here is given the table's rows by name once; what it returns puts values by row number into `derived`, and
says whether the two ends of a connection are written the other way round.
"""

from values import every, first

TACTICS = {
    "Reconnaissance", "Resource Development", "Initial Access", "Execution", "Persistence", "Privilege Escalation",
    "Defense Evasion", "Credential Access", "Discovery", "Lateral Movement", "Collection", "Command and Control",
    "Exfiltration", "Impact",
}  # fmt: skip


def guardduty(rows):
    number = {name.removeprefix("aws.guardduty."): row.number for name, row in rows.items()}
    kind, severity, title, arn, sample, info, indicator, direction = (
        rows["aws.guardduty." + name if "." not in name else name]
        for name in (
            "type", "event.severity", "rule.name", "arn", "sample", "additional_info", "indicator_value", "direction",
        )
    )  # fmt: skip
    lower = [rows["event.action"], rows["network.transport"]]

    def derive(hits, derived):
        text = first(hits, kind)
        derived[number["event.kind"]] = ["alert" if text else "event"]
        if text:
            purpose, _, rest = text.partition(":")
            affected, _, rest = rest.partition("/")
            rest, _, artifact = rest.partition("!")
            family, _, mechanism = rest.partition(".")
            derived[number["rule.category"]] = derived[number["threat_purpose"]] = [purpose]
            derived[number["resource_affected"]] = [affected]
            derived[number["family"]] = [family]
            derived[number["mechanism"]] = [mechanism]
            derived[number["artifact"]] = [artifact]
        text = first(hits, severity)
        if text:
            level = float(text)
            label = "Critical" if level >= 9 else "High" if level >= 7 else "Medium" if level >= 4 else "Low"
            derived[number["severity_label"]] = [label]
        for row in lower:
            texts = [text.lower() for text in every(hits, row)]
            if texts:
                derived[row.number] = texts
        way = (first(hits, direction) or "").lower()
        if way:
            derived[number["network.direction"]] = [way]
        said = first(hits, sample)
        if said in (None, "true", "false"):
            inside = first(hits, info) or ""
            is_sample = (
                said == "true"
                or '"sample":true' in inside
                or '"sample": true' in inside
                or (first(hits, title) or "").startswith("[SAMPLE]")
                or (first(hits, arn) or "").endswith("/sample")
            )
            derived[sample.number] = ["true" if is_sample else "false"]
        for value in every(hits, indicator):
            if value in TACTICS:
                derived.setdefault(number["tactic"], []).append(value)
            elif value[:1] == "T" and value[1:5].isdecimal() and value[5:6] in ("", ".", " "):
                derived.setdefault(number["technique"], []).append(value)
        return way == "outbound"

    return derive


DIRECTIONS = {"in": "inbound", "inbound": "inbound", "out": "outbound", "outbound": "outbound"}
OUTCOMES = {"PASSED": "success", "FAILED": "failure"}
LEAST = {"INFORMATIONAL": "0", "LOW": "1", "MEDIUM": "40", "HIGH": "70", "CRITICAL": "90"}


def securityhub(rows):
    """Findings in ASFF; those in OCSF are in no generated event."""
    number = {name.removeprefix("aws.securityhub."): row.number for name, row in rows.items()}
    finding_id, normalized, label, types, status, product, region, direction, source, destination = (
        rows["aws.securityhub." + name if "." not in name else name]
        for name in (
            "finding_id", "severity_normalized", "severity_label", "types", "compliance_status", "product_arn",
            "cloud.region", "network.direction", "source.ip", "destination.ip",
        )
    )  # fmt: skip
    lower = [rows["event.action"], rows["network.transport"]]

    def derive(hits, derived):
        derived[number["event.kind"]] = ["alert" if first(hits, finding_id) else "event"]
        level, word = first(hits, normalized), first(hits, label)
        if level is None and word in LEAST:
            derived[number["event.severity"]] = derived[normalized.number] = [LEAST[word]]
        elif level is not None and word is None:
            of = float(level)
            word = next(word for word, least in reversed(LEAST.items()) if of >= int(least))
            derived[label.number] = [word]
        kind, _, rest = (first(hits, types) or "").partition("/")
        category = "configuration"
        if kind in ("TTPs", "Effects", "Unusual Behaviors"):
            category = "intrusion_detection"
        elif kind == "Software and Configuration Checks" and rest.startswith("Vulnerabilities"):
            category = "vulnerability"
        derived[number["event.category"]] = [category]
        for row in lower:
            texts = [text.lower() for text in every(hits, row)]
            if texts:
                derived[row.number] = texts
        way = first(hits, direction)
        if way:
            derived[direction.number] = [DIRECTIONS.get(way.lower(), "unknown")]
        result = first(hits, status)
        if result:
            derived[number["event.outcome"]] = [OUTCOMES.get(result, "unknown")]
        if first(hits, region) is None:
            derived[region.number] = (first(hits, product) or "").split(":")[3:4] or [""]
        has_source = any(slot in hits for slot in source.slots)
        has_destination = any(slot in hits for slot in destination.slots)
        return way is not None and way.upper() == "OUTBOUND" and has_source and not has_destination

    return derive
