"""Flow logs: a line split at its spaces, and a document of what stands in it."""

from datetime import datetime, timezone
from hashlib import blake2b

from workshop import V2, V5

PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp"}
PATHS = {"1": "same_vpc", "2": "internet_gateway_or_gateway_endpoint", "8": "internet_gateway"}
ACTIONS = {
    "ACCEPT": (("connection", "allowed"), "success"),
    "REJECT": (("connection", "denied"), "failure"),
}
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")


def time(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()[:19] + ".000Z"


def flags(mask):
    names = []
    if mask & 18 == 18:
        names.append("SYN-ACK")
        mask &= ~18
    elif mask & 2:
        names.append("SYN")
        mask &= ~2
    names.extend(name for bit, name in enumerate(FLAGS) if mask & (1 << bit))
    return names


class FlowMapper:
    """Maps the lines of one format."""

    def __init__(self, case, tables):
        columns = V5 if case.endswith("v5") else V2
        self.extended = columns is V5
        self.flags = {str(mask): flags(mask) for mask in range(1, 256)}
        self.versions = tables["ecs"], tables["normalizer"]
        # Columns that are copied: where they stand, their key, whether they are numbers.
        self.copies = [
            (columns.index(field["from"]), field["name"].removeprefix("aws.vpcflow."), field["type"] == "long")
            for field in tables["fields"]["vpcflow"]
            if field["from"] in columns
            and field["name"] == "aws.vpcflow." + field["from"].replace("-", "_")
            and field["type"] in ("keyword", "long")
            and field["from"] not in ("tcp-flags", "traffic-path")
        ]

    def document(self, data):
        values = data.decode().split()
        account, source, destination, source_port, destination_port, protocol, packets, size, start, end, action = (
            values[1], *values[3:13]
        )  # fmt: skip
        ecs, normalizer = self.versions
        end_time = time(int(end))
        event = {"kind": "event", "category": ["network"], "dataset": "aws.vpcflow", "module": "aws"}
        if action in ACTIONS:
            event["type"], event["outcome"] = ACTIONS[action]
            event["action"] = action.lower()
        else:
            event["type"] = ["info"]
        event["start"] = time(int(start))
        event["end"] = end_time
        event["duration"] = (int(end) - int(start)) * 1_000_000_000
        event["id"] = blake2b(data, digest_size=16).hexdigest()
        cloud = {"provider": "aws"}
        if account != "-":
            cloud["account"] = {"id": account}
        document = {"@timestamp": end_time, "ecs": {"version": ecs}, "event": event, "cloud": cloud}
        network = {}
        if source != "-":
            size, packets = int(size), int(packets)
            document["source"] = {
                "address": source, "ip": source, "port": int(source_port), "bytes": size, "packets": packets
            }  # fmt: skip
            document["destination"] = {"address": destination, "ip": destination, "port": int(destination_port)}
            network["type"] = "ipv6" if ":" in source else "ipv4"
            network["bytes"] = size
            network["packets"] = packets
            document["related"] = {"ip": [source, destination] if source != destination else [source]}
        if protocol != "-":
            if protocol in PROTOCOLS:
                network["transport"] = PROTOCOLS[protocol]
            network["iana_number"] = protocol
        own = {}
        for at, key, is_number in self.copies:
            value = values[at]
            if value != "-":
                own[key] = int(value) if is_number else value
        if self.extended:
            self.extend(values, document, network, own)
        if network:
            document["network"] = network
        document["aws"] = {"vpcflow": own}
        document["portcullis"] = {"normalizer": normalizer}
        return document

    def extend(self, values, document, network, own):
        """What versions 3 to 5 add."""
        instance, mask, kind, source, destination, region = values[16:22]
        if region != "-":
            document["cloud"]["region"] = region
        if instance != "-":
            document["cloud"]["instance"] = {"id": instance}
        if mask in self.flags:
            own["tcp_flags"] = self.flags[mask]
        if kind != "-":
            network["type"] = kind.lower()
        for end, address in (("source", source), ("destination", destination)):
            if address == "-":
                continue
            own["pkt_srcaddr" if end == "source" else "pkt_dstaddr"] = address
            if address != document[end]["ip"]:
                document[end]["nat"] = {"ip": address}
                document["related"]["ip"].append(address)
        direction, path = values[27:29]
        if direction != "-":
            network["direction"] = direction
        if path != "-":
            own["traffic_path"] = PATHS.get(path, path)
