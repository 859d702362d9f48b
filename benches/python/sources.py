"""What each source is beside its table: envelope, constants, and what follows from several values."""

from findings import guardduty, securityhub
from logs import cloudtrail, dns, waf


class Source:
    """What a source is, and how its own values are worked out."""

    def __init__(
        self, name, derive, unwrap=lambda record: record, folds=False, native_id=None, constants=(), joined=()
    ):
        self.name = name
        self.derive = derive
        self.unwrap = unwrap
        self.folds = folds
        self.native_id = native_id
        self.constants = dict(constants)
        self.joined = joined


def detail(record):
    return record.get("detail", record)


def finding(record):
    record = record.get("detail", record)
    for key in ("findings", "Findings"):
        if key in record:
            return record[key][0]
    return record


SOURCES = {
    source.name: source
    for source in (
        Source("waf", waf, constants={"event.kind": "event", "event.category": "web"}),
        Source(
            "guardduty",
            guardduty,
            unwrap=finding,
            folds=True,
            native_id="aws.guardduty.finding_id",
            constants={"event.category": "intrusion_detection", "event.type": "info"},
        ),
        Source(
            "securityhub",
            securityhub,
            unwrap=finding,
            native_id="aws.securityhub.finding_id",
            constants={"event.type": "info"},
        ),
        Source(
            "dns",
            dns,
            unwrap=detail,
            constants={"event.kind": "event", "event.category": "network", "network.protocol": "dns"},
        ),
        Source(
            "cloudtrail",
            cloudtrail,
            unwrap=detail,
            native_id="aws.cloudtrail.event_id",
            joined=("related.user",),
        ),
    )
}
