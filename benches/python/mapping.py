"""One document from a record of a source that writes JSON, by the source's table and what the source derives.

The record is walked once, along the tree of the table's paths; what was found is written row by row. Which rows that are
follows from where something was found, so that this is worked out once for all records of the same shape.
"""

from hashlib import blake2b

from paths import Tree
from values import (
    CONVERT, EMPTY, HEX, REFUSED, address, ip, keyword, leaves, looks_like_address, moment, name_of_a_host, plain,
)  # fmt: skip

LISTS = {"event.category", "event.type", "tags", "dns.resolved_ip"}
PLANS = 4096


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
                    hits[slot] = [value]
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
            data = (hits[self.native_id[0]][0] + at).encode()
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
                hits[slot].append(value)
            else:
                hits[slot] = [value]
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
    hits.setdefault(node.slot, []).append(value)


def element(node, record, hits, rest):
    """An element that is chosen by name; the answer is its other members."""
    choice = node.choice
    others = {key: value for key, value in record.items() if key != choice.key and key != choice.value}
    name = record.get(choice.key)
    if type(name) is not str:
        return record
    if choice.key in node.children:
        hits.setdefault(node.children[choice.key].slot, []).append(name)
    value = record.get(choice.value)
    if value is None:
        return others
    slot = choice.slots.get(name.lower())
    if slot is not None:
        hits.setdefault(slot, []).append(value)
    elif choice.others is not None:
        hits.setdefault(choice.others, []).append((name, value))
    else:
        rest.setdefault(node.prefix + choice.value, []).append(value)
    return others


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


class Plan:
    """What is written for records of one shape."""

    def __init__(self, mapper, hits, derived, swapped):
        self.takers = dict.fromkeys(hits, 0)
        self.related = ()
        self.timestamps = [slot for slot in mapper.by_name["@timestamp"].slots if slot in hits]
        tree = {}
        for name, value in mapper.constants.items():
            place(tree, name, [value] if name in LISTS else value)
        for row in mapper.rows:
            slots = [slot for slot in (row.mirror if swapped else row).slots if slot in hits]
            own = None if row.number not in derived else "joined" if row.number in mapper.joined else "replaced"
            if row.name == "@timestamp" or not slots and own is None or row.name in mapper.constants:
                continue
            for slot in slots:
                self.takers[slot] += 1
            if row.name == "related.ip":
                self.related = ((row, slots, own),)
            else:
                place(tree, row.name, (row, slots, own))
        place(tree, "event.id", None)
        self.members = members(tree, mapper.whole)
        self.lonely = [slot for slot, count in self.takers.items() if not count and slot not in mapper.kept]

    def write(self, mapper, data, hits, derived, rest, addresses):
        refused = {}
        context = (mapper, hits, derived, refused, addresses)
        for slot in self.timestamps:
            at = moment(hits[slot][0])
            if at:
                break
        document = written(self.members, context)
        document["@timestamp"] = at
        document["event"]["id"] = mapper.id(data, hits, at)
        for row, slots, own in self.related:
            general(row, slots, own, context)
        if addresses:
            texts = [text for _, text in sorted(addresses)]
            document.setdefault("related", {})["ip"] = texts
        for (missed, number), count in refused.items():
            if count == self.takers[missed] and missed not in mapper.kept and not (missed == slot and number == 0):
                rest.setdefault(mapper.names[missed], []).append(hits[missed][number])
        for missed in self.lonely:
            for value in hits[missed][1 if missed == slot else 0 :]:
                rest.setdefault(mapper.names[missed], []).append(value)
        if rest:
            unplaced = leaves(rest)
            if unplaced:
                document["portcullis"] = {**document["portcullis"], "unplaced": unplaced}
            rest = {path: values if len(values) > 1 else values[0] for path, values in rest.items()}
            document["aws"][mapper.source]["rest"] = rest
        return document


def place(tree, name, what):
    *groups, key = name.split(".")
    for group in groups:
        tree = tree.setdefault(group, {})
    tree[key] = what


# What a member of a document is, cheapest first: nearly all are of the first four kinds.
TEXT, GIVEN, ADDRESS, OTHER, CONSTANT, OBJECT, ROW = range(7)


def members(tree, whole):
    """A list of key, kind and what that kind needs."""
    out = []
    for key, what in tree.items():
        if type(what) is dict:
            inner = members(what, whole)
            is_constant = all(kind == CONSTANT for _, kind, _ in inner)
            out.append((key, CONSTANT, {key: value for key, _, value in inner}) if is_constant else (key, OBJECT, inner))
        elif type(what) is tuple:
            out.append((key, *kind_of(what, whole)))
        else:
            out.append((key, CONSTANT, what))
    return out


def kind_of(what, whole):
    row, slots, own = what
    is_keyword = row.convert is keyword and not row.repeats
    if own == "replaced" and is_keyword:
        return GIVEN, (row.number, slots, row.is_list)
    if own or len(slots) != 1 or row.convert is None or row.repeats or slots[0] in whole:
        return ROW, what
    if is_keyword:
        return TEXT, (slots[0], row.is_list, what)
    if row.convert is ip:
        return ADDRESS, (slots[0], row.is_list, what)
    return (ROW, what) if row.is_list else (OTHER, (row.convert, slots[0], what))


def written(members, context):
    """An object; each of the short cuts says what `general` would say."""
    _, hits, derived, refused, addresses = context
    out = {}
    for key, kind, what in members:
        if kind == TEXT:
            slot, is_list, row = what
            values = hits[slot]
            if len(values) == 1:
                value = values[0]
                if type(value) is str:
                    if value:
                        out[key] = [value] if is_list else value
                    continue
            value = general(*row, context)
        elif kind == GIVEN:
            number, slots, is_list = what
            for slot in slots:
                for at, value in enumerate(hits[slot]):
                    if type(value) is dict or type(value) is list:
                        refuse(refused, slot, at)
            values = derived[number]
            if len(values) > 1:
                values = [value for value in dict.fromkeys(values) if value]
            if values and values[0]:
                out[key] = values if is_list or len(values) > 1 else values[0]
            continue
        elif kind == OTHER:
            convert, slot, row = what
            values = hits[slot]
            if len(values) == 1:
                value = convert(values[0])
                if value is REFUSED:
                    refuse(refused, slot, 0)
                elif value is not EMPTY:
                    out[key] = value
                continue
            value = general(*row, context)
        elif kind == OBJECT:
            value = written(what, context) or None
        elif kind == CONSTANT:
            out[key] = what
            continue
        elif kind == ADDRESS:
            slot, is_list, row = what
            values = hits[slot]
            found = address(values[0]) if len(values) == 1 and type(values[0]) is str else None
            if found:
                addresses.add(found)
                out[key] = [found[1]] if is_list else found[1]
                continue
            value = general(*row, context)
        else:
            value = general(*what, context)
        if value is not None:
            out[key] = value
    return out


def refuse(refused, slot, number):
    refused[slot, number] = refused.get((slot, number), 0) + 1


def general(row, slots, own, context):
    """The value of a row, an array of several, or nothing."""
    mapper, hits, derived, refused, addresses = context
    if row.type == "flat_object":
        return flat(mapper, slots, hits)
    convert = row.convert
    values = []
    for value in derived[row.number] if own else ():
        fit(row, convert(value), values, addresses)
    for slot in slots:
        settled = row.first_only and bool(values)
        whole = slot in mapper.whole
        for number, value in enumerate(hits[slot]):
            if own == "replaced":
                if plain(value) is None or row.strict and convert(value) is REFUSED:
                    refuse(refused, slot, number)
            elif settled:
                if value not in values:
                    refuse(refused, slot, number)
            elif whole and type(value) in (dict, list):
                if leaves(value):
                    fit(row, mapper.codec.text(value), values, addresses)
            elif not fit(row, convert(value), values, addresses):
                refuse(refused, slot, number)
    if not values:
        return None
    return values if len(values) > 1 or row.is_list else values[0]


def fit(row, value, values, addresses):
    if value is REFUSED:
        return False
    if value is not EMPTY:
        if row.convert is ip:
            addresses.add(address(value))
        if row.repeats or value not in values:
            values.append(value)
    return True


def flat(mapper, slots, hits):
    """Elements by their names in lower case; bodies by their paths."""
    out = {}
    for slot in slots:
        for value in hits[slot]:
            if slot in mapper.whole:
                if leaves(value) and value != "":
                    out.setdefault(mapper.names[slot], []).append(value)
            elif type(value) is tuple:
                name, value = value
                out.setdefault(name.lower(), []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in out.items()} or None
