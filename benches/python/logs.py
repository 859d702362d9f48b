"""What follows from several values of a log: WAF, DNS and CloudTrail. The functions are as those of findings.py."""

from categories import categorise
from names import canonical, name_in, parts, reversed_address
from values import address, every, first

WAF_ACTIONS = {
    "ALLOW": ("allow", "success", "allowed"),
    "BLOCK": ("block", "failure", "denied"),
    "COUNT": ("count", "success", "allowed"),
    "CAPTCHA": ("captcha", "failure", "denied"),
    "CHALLENGE": ("challenge", "failure", "denied"),
}


def waf(rows):
    action, scheme, domain, path = (rows[name] for name in ("event.action", "url.scheme", "url.domain", "url.path"))
    query, rule_id, rule_name, rule_type = (
        rows[name] for name in ("url.query", "rule.id", "rule.name", "aws.waf.rule_type")
    )
    acl, version, request_id = (rows[name] for name in ("aws.waf.acl_arn", "http.version", "http.request.id"))
    country = rows["source.geo.country_iso_code"]
    solved = [rows["aws.waf.captcha_solved"], rows["aws.waf.challenge_solved"]]
    number = {name: row.number for name, row in rows.items()}

    def derive(hits, derived):
        word = first(hits, action)
        if word:
            if word in WAF_ACTIONS:
                word, outcome, kind = WAF_ACTIONS[word]
                derived[number["event.outcome"]] = [outcome]
                derived[number["event.type"]] = [kind]
            derived[action.number] = [word.lower()]
        arn = (first(hits, acl) or "").split(":", 5)
        ruleset = None
        if len(arn) == 6:
            derived[number["cloud.region"]] = [arn[3]]
            derived[number["cloud.account.id"]] = [arn[4]]
            derived[number["aws.waf.generation"]] = ["v2"]
            resource = arn[5].split("/")
            if len(resource) > 2:
                ruleset = resource[2]
                derived[number["aws.waf.acl_name"]] = [ruleset]
            if len(resource) > 3:
                derived[number["aws.waf.acl_id"]] = [resource[3]]
        rule = first(hits, rule_id)
        if rule:
            if first(hits, rule_name) is None:
                derived[rule_name.number] = [rule]
            if first(hits, rule_type) in ("GROUP", "MANAGED_RULE_GROUP"):
                ruleset = rule
            if ruleset:
                derived[number["rule.ruleset"]] = [ruleset]
        said = first(hits, version)
        if said:
            derived[version.number] = [said.removeprefix("HTTP/")]
        if first(hits, request_id) == "null":
            derived[request_id.number] = [""]
        if first(hits, country) == "-":
            derived[country.number] = [""]
        for row in solved:
            times = list(every(hits, row))
            if "0" in times:
                derived[row.number] = [time for time in times if time != "0"] or [""]
        names = first(hits, scheme), first(hits, domain)
        if all(names):
            asked = first(hits, query)
            address = f"{names[0]}://{names[1]}{first(hits, path) or ''}"
            derived[number["url.full"]] = [f"{address}?{asked}" if asked else address]
        return False

    return derive


def dns(rows):
    number = {name: row.number for name, row in rows.items()}
    question, transport, source, code, rule = (
        rows[name]
        for name in (
            "dns.question.name", "network.transport", "source.ip", "dns.response_code", "aws.dns.firewall_rule_action",
        )
    )  # fmt: skip
    data, kinds = rows["dns.answers.data"], rows["dns.answers.type"]
    subnet = rows["aws.dns.edns_client_subnet"]

    def derive(hits, derived):
        related, hosts = [], []
        spelled = first(hits, question)
        name = canonical(spelled)
        if name.lower() != spelled.lower().rstrip(".") or any(map(str.isupper, spelled)):
            derived[number["aws.dns.query_name"]] = [spelled]
        derived[question.number] = [name]
        asked = reversed_address(name)
        if asked:
            derived[number["aws.dns.question_ip"]] = [asked]
            related.append(asked)
        else:
            hosts.append(name)
            suffix, registered, subdomain = parts(name)
            for row, part in (
                ("dns.question.top_level_domain", suffix),
                ("dns.question.registered_domain", registered),
                ("dns.question.subdomain", subdomain),
            ):
                if part:
                    derived[number[row]] = [part]
        verdict = (first(hits, rule) or "query").lower()
        access = {"query": "", "block": "denied"}.get(verdict, "allowed")
        derived[number["event.action"]] = [verdict]
        derived[number["event.type"]] = ["protocol", access]
        answered = first(hits, code)
        is_success = answered is not None and answered.upper() == "NOERROR" and access != "denied"
        outcome = "success" if is_success else "unknown" if answered is None and access != "denied" else "failure"
        derived[number["event.outcome"]] = [outcome]
        derived[number["dns.type"]] = ["answer" if answered or any(slot in hits for slot in data.slots) else "query"]
        respelled, texts = False, []
        types = list(every(hits, kinds))
        for at, text in enumerate(every(hits, data)):
            host = name_in(text, types[at] if at < len(types) else None)
            if host is None:
                texts.append(text)
                continue
            name = canonical(host)
            respelled |= name != host
            texts.append(text[: len(text) - len(host)] + name)
            behind = reversed_address(name)
            (related if behind else hosts).append(behind or name)
        if respelled:
            derived[data.number] = texts
        if hosts:
            derived[number["related.hosts"]] = hosts
        used = first(hits, transport)
        if used:
            derived[transport.number] = [used.lower()]
        client = first(hits, source)
        if client and address(client):
            derived[number["network.type"]] = ["ipv6" if ":" in client else "ipv4"]
        network = first(hits, subnet)
        if network:
            related.append(network.partition("/")[0])
        if related:
            derived[number["related.ip"]] = related
        return False

    return derive


def session(arn):
    """Role (or user) and name of a session, from its ARN."""
    resource = (arn or "").split(":", 5)[5:]
    kind, _, rest = (resource[0] if resource else "").partition("/")
    if kind == "assumed-role":
        role, _, name = rest.rpartition("/")
        return (role, name) if role and name else None
    return (rest, rest) if kind == "federated-user" and rest else None


def cloudtrail(rows):
    number = {name.removeprefix("aws.cloudtrail."): row.number for name, row in rows.items()}
    provider, name, kind, category, error, message, said, user, tls, identity, arn, assumed, mfa = (
        rows["aws.cloudtrail." + name if name not in rows else name]
        for name in (
            "event.provider", "event.action", "event_type", "event_category", "error.code", "error.message",
            "event.outcome", "user.name", "tls.version", "user_identity.type", "user_identity.arn", "assumed_role_arn",
            "mfa_used",
        )
    )  # fmt: skip

    def derive(hits, derived):
        of_kind, of_category = first(hits, kind) or "", first(hits, category) or ""
        categories, what = categorise(first(hits, provider) or "", first(hits, name) or "", of_kind, of_category)
        if categories:
            derived[number["event.category"]] = categories
        code = first(hits, error)
        denied = code is not None and ("AccessDenied" in code or "Unauthorized" in code)
        derived[number["event.type"]] = [what, "denied"] if denied else [what]
        is_insight = of_kind == "AwsCloudTrailInsight" or of_category == "Insight"
        derived[number["event.kind"]] = ["alert" if is_insight else "event"]
        if not is_insight:
            failed = code or first(hits, message) or any(text.lower() == "failure" for text in every(hits, said))
            derived[said.number] = ["failure" if failed else "success"]
        own = session(first(hits, arn))
        if own:
            derived[number["user_identity.session_name"]] = [own[1]]
            if first(hits, user) is None:
                derived[user.number] = [own[0]]
        elif first(hits, identity) == "Root" and first(hits, user) is None:
            derived[user.number] = ["root"]
        names = [pair[1] for pair in (own, session(first(hits, assumed))) if pair]
        if names:
            derived[number["related.user"]] = names
        version = first(hits, tls)
        if version:
            derived[tls.number] = [version.removeprefix("TLSv")]
        used = {"Yes": "true", "No": "false"}.get(first(hits, mfa))
        if used:
            derived[mfa.number] = [used]
        return False

    return derive
