"""From a CloudTrail event's name and service to categories and types."""

from functools import lru_cache

# Sign-ins and handing out credentials, by service and name.
AUTHENTICATION = {
    ("signin", "CheckMfa"): "info", ("signin", "ConsoleLogin"): "start", ("signin", "CredentialChallenge"): "info",
    ("signin", "CredentialVerification"): "info", ("signin", "ExitRole"): "end",
    ("signin", "GetSigninToken"): "start", ("signin", "RenewRole"): "start", ("signin", "SwitchRole"): "start",
    ("signin", "UserAuthentication"): "start", ("sso", "Authenticate"): "start", ("sso", "Federate"): "start",
    ("sso", "Logout"): "end", ("sts", "AssumeRole"): "start", ("sts", "AssumeRoleWithSAML"): "start",
    ("sts", "AssumeRoleWithWebIdentity"): "start", ("sts", "AssumeRoot"): "start",
    ("sts", "GetFederationToken"): "start", ("sts", "GetSessionToken"): "start",
}  # fmt: skip

# What a service is about.
SERVICES = {
    "access-analyzer": "iam", "cloudfront": "network", "cloudtrail": "configuration", "cognito-identity": "iam",
    "cognito-idp": "iam", "config": "configuration", "directconnect": "network", "docdb": "database",
    "dynamodb": "database", "elasticloadbalancing": "network", "globalaccelerator": "network",
    "guardduty": "configuration", "iam": "iam", "identitystore": "iam", "inspector2": "configuration",
    "logs": "configuration", "macie2": "configuration", "monitoring": "configuration", "neptune": "database",
    "network-firewall": "network", "organizations": "configuration", "rds": "database", "rds-data": "database",
    "redshift": "database", "redshift-data": "database", "redshift-serverless": "database", "route53": "network",
    "route53resolver": "network", "s3": "configuration", "securityhub": "configuration", "sso": "iam",
    "sso-directory": "iam", "timestream": "database", "vpc-lattice": "network", "wafv2": "network",
}  # fmt: skip

# Parts of the names of EC2's operations.
NETWORK_PARTS = (
    "Address", "Dhcp", "FlowLog", "Gateway", "NetworkAcl", "NetworkInterface", "Route", "SecurityGroup", "Subnet",
    "Vpc", "Vpn",
)  # fmt: skip
HOST_PARTS = (
    "Host", "Image", "Instance", "Snapshot", "Volume",
)  # fmt: skip

# What the first word of an operation's name does.
VERBS = {
    "Abort": "deletion", "Add": "change", "Allocate": "creation", "Assign": "change", "Associate": "change",
    "Attach": "change", "Authorize": "change", "Batch": "", "Cancel": "deletion", "Change": "change",
    "Check": "access", "Clone": "creation", "Copy": "creation", "Create": "creation", "Deactivate": "change",
    "Delete": "deletion", "Deregister": "deletion", "Describe": "access", "Detach": "change", "Disable": "change",
    "Disassociate": "change", "Download": "access", "Enable": "change", "Get": "access", "Head": "access",
    "Import": "creation", "Issue": "creation", "Launch": "creation", "Leave": "change", "List": "access",
    "Lookup": "access", "Modify": "change", "Move": "change", "Pause": "change", "Publish": "creation",
    "Purge": "deletion", "Put": "change", "Query": "access", "Read": "access", "Reboot": "change",
    "Register": "creation", "Release": "deletion", "Remove": "change", "Replace": "change", "Reset": "change",
    "Restore": "creation", "Resume": "change", "Revoke": "change", "Rotate": "change", "Run": "creation",
    "Scan": "access", "Schedule": "change", "Search": "access", "Select": "access", "Set": "change",
    "Simulate": "access", "Start": "start", "Stop": "end", "Tag": "change", "Terminate": "deletion",
    "Unassign": "change", "Untag": "change", "Update": "change", "Upload": "creation", "Write": "change",
}  # fmt: skip


def about(service, name):
    if service != "ec2":
        return SERVICES.get(service)
    if any(part in name for part in NETWORK_PARTS):
        return "network"
    return "host" if any(part in name for part in HOST_PARTS) else None


def split_word(name):
    end = next((at for at, letter in enumerate(name) if at and not "a" <= letter <= "z"), len(name))
    return name[:end], name[end:]


def verb(name):
    word, rest = split_word(name)
    kind = VERBS.get(word, "info")
    return kind or VERBS.get(split_word(rest)[0], "info")


@lru_cache(maxsize=65536)
def categorise(provider, name, kind, category):
    """Categories, the general one first, and the type."""
    service = provider.partition(".")[0]
    general = [] if kind in ("AwsServiceEvent", "AwsConsoleSignIn") else ["api"]
    if category == "Insight" or kind == "AwsCloudTrailInsight":
        return general, "info"
    if (service, name) in AUTHENTICATION:
        return general + ["authentication"], AUTHENTICATION[service, name]
    if category == "NetworkActivity":
        subject = "network"
    elif category == "Data" and service == "s3":
        subject = "file"
    elif kind == "AwsConsoleSignIn":
        subject = "authentication"
    else:
        subject = about(service, name)
    what = verb(name)
    if not general and (
        subject == "authentication"
        or what in ("access", "start", "end")
        and subject in ("iam", "configuration", "database")
    ):
        what = "info"
    return general + [subject] if subject else general, what
