"""One document from a record of a source that writes JSON, by the source's table and what the source derives.

The record is walked once, along the tree of the table's paths; what was found is written row by row. Which rows that
are follows from where something was found, so that this is worked out once for all records of the same shape.
"""

from hashlib import blake2b

from paths import Tree
from plan import LISTS, Plan
from values import CONVERT, HEX, address, looks_like_address, name_of_a_host, put

PLANS = 4096
NOTHING = {}


class Row:
    """A row of the table."""

    def __init__(self, number, field, tree):
        self.number = number
        self.name = field["name"]
        self.slots = tree.add(field["from"])
        self.first_only = " | " in field["from"]
        self.repeats = self.name.startswith("dns.answers.")
        self.is_list = self.name in LISTS or self.repeats or self.name.startswith("related.")
        self.type = field["type"]
        self.strict = self.type in ("long", "float", "boolean", "date")
        self.convert = name_of_a_host if self.name.endswith(".address") else CONVERT.get(self.type)
        self.mirror = self


class Mapper:
    """Maps the records of one source."""

    def __init__(self, source, tables, codec):
        self.codec = codec
        self.source = source.name
        fields = tables["fields"][source.name]
        tree = Tree(source.folds)
        self.rows = [Row(number, field, tree) for number, field in enumerate(fields)]
        self.by_name = {row.name: row for row in self.rows}
        tree.settle()
        for row in self.rows:
            first, _, rest = row.name.partition(".")
            other = {"source": "destination.", "destination": "source."}.get(first, "") + rest
            row.mirror = self.by_name.get(other, row)
        self.names = tree.names
        self.whole = tree.whole
        self.kept = tree.whole | tree.inside_whole
        self.envelope = [(path.split("."), slot) for path, slot in tree.envelope.items()]
        self.root = tree.root
        self.silence(tree.root)
        self.unwrap = source.unwrap
        self.derive = source.derive(self.by_name)
        self.joined = {self.by_name[name].number for name in source.joined}
        self.native_id = self.by_name[source.native_id].slots if source.native_id else None
        self.constants = {
            "cloud.provider": "aws",
            "ecs.version": tables["ecs"],
            "event.dataset": "aws." + source.name,
            "event.module": "aws",
            "portcullis.normalizer": tables["normalizer"],
            **source.constants,
        }
        self.plans = {}

    def silence(self, node):
        """Where a row of type `ip` takes every value, it notes the addresses itself."""
        if any(row.type == "ip" and not row.first_only and node.slot in row.slots for row in self.rows):
            node.notes = False
        for child in node.children.values():
            self.silence(child)

    def document(self, data):
        record = outer = self.codec.loads(data)
        record = self.unwrap(record)
        hits, rest, addresses = {}, {}, set()
        if record is not outer:
            for path, slot in self.envelope:
                value = outer
                for key in path:
                    value = value.get(key) if type(value) is dict else None
                if value is not None:
                    put(hits, slot, value)
        walk(self.root, record, hits, rest, addresses)
        derived = {}
        swapped = self.derive(hits, derived)
        shape = (tuple(hits), tuple(derived), swapped)
        plan = self.plans.get(shape)
        if plan is None:
            if len(self.plans) >= PLANS:
                self.plans.clear()
            plan = self.plans[shape] = Plan(self, hits, derived, swapped)
        return plan.write(self, data, hits, derived, rest, addresses)

    def id(self, data, hits, at):
        if self.native_id:
            data = (hits[self.native_id[0]] + at).encode()
        return blake2b(data, digest_size=16).hexdigest()


def walk(node, record, hits, rest, addresses):
    """Puts what stands in an object where its paths say, and everything else into the rest."""
    if node.choice is not None:
        record = element(node, record, hits, rest)
    children = node.children
    for key, value in record.items():
        child = children.get(key)
        if child is None:
            if value is not None:
                unknown(node.prefix + key, key, value, rest, addresses)
        elif type(value) is str:
            slot = child.slot
            if slot is None:
                unknown(child.path, key, value, rest, addresses)
                continue
            if child.notes and len(value) < 46 and value[:1] in HEX and ("." in value[:5] or ":" in value[:5]):
                note(key, value, addresses)
            if slot in hits:
                put(hits, slot, value)
            else:
                hits[slot] = value
        elif value is not None:
            known(child, key, value, hits, rest, addresses)


def known(node, key, value, hits, rest, addresses):
    kind = type(value)
    if value is None:
        return
    if node.whole:
        for part in value if kind is list else (value,):
            if type(part) is dict:
                walk(node, part, hits, {}, addresses)
            else:
                note(key, part, addresses)
    elif kind is dict:
        if node.children or node.choice:
            return walk(node, value, hits, rest, addresses)
    elif kind is list:
        for part in value:
            known(node, key, part, hits, rest, addresses)
        return
    if node.slot is None:
        return unknown(node.path, key, value, rest, addresses)
    if node.notes:
        note(key, value, addresses)
    put(hits, node.slot, value)


def element(node, record, hits, rest):
    """An element that is chosen by name; the answer is its other members."""
    choice = node.choice
    name = record.get(choice.key)
    value = record.get(choice.value)
    if type(name) is not str:
        return record
    if choice.key in node.children:
        put(hits, node.children[choice.key].slot, name)
    if value is not None:
        slot = choice.slots.get(name.lower())
        if slot is not None:
            put(hits, slot, value)
        elif choice.others is not None:
            put(hits, choice.others, (name, value))
        else:
            rest.setdefault(node.prefix + choice.value, []).append(value)
        if len(record) == 2:
            return NOTHING
    return {key: value for key, value in record.items() if key != choice.key and key != choice.value}


def unknown(path, key, value, rest, addresses):
    note(key, value, addresses)
    if path in rest:
        rest[path].append(value)
    else:
        rest[path] = [value]


def note(key, value, addresses):
    """Notes the addresses in a value."""
    kind = type(value)
    if kind is str:
        if looks_like_address(value) and not key.endswith("ersion"):
            found = address(value)
            if found:
                addresses.add(found)
    elif kind is dict:
        for key, value in value.items():
            note(key, value, addresses)
    elif kind is list:
        for value in value:
            note(key, value, addresses)
