"""What is written for records of one shape, as a function that is made for it.

A shape is where something was found and what the source derived. All that the table says of it is settled once: which
rows are written, in which object, and how; what is left is a straight line of Python.
"""

from values import EMPTY, REFUSED, Many, address, found, ip, keyword, leaves, moment, plain

LISTS = {"event.category", "event.type", "tags", "dns.resolved_ip"}


class Plan:
    """The function for one shape, and what it leaves for the rest of a document."""

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
        self.lonely = [slot for slot, count in self.takers.items() if not count and slot not in mapper.kept]
        self.written = Code(mapper.whole).function(tree)

    def write(self, mapper, data, hits, derived, rest, addresses):
        refused = {}
        context = (mapper, hits, derived, refused, addresses)
        for slot in self.timestamps:
            at = moment(found(hits, slot)[0])
            if at:
                break
        document = self.written(hits, derived, refused, addresses, context)
        document["@timestamp"] = at
        document["event"]["id"] = mapper.id(data, hits, at)
        for row in self.related:
            general(row, context)
        if addresses:
            document.setdefault("related", {})["ip"] = [text for _, text in sorted(addresses)]
        for (missed, number), count in refused.items():
            if count == self.takers[missed] and missed not in mapper.kept and (missed, number) != (slot, 0):
                rest.setdefault(mapper.names[missed], []).append(found(hits, missed)[number])
        for missed in self.lonely:
            for value in found(hits, missed)[1 if missed == slot else 0 :]:
                rest.setdefault(mapper.names[missed], []).append(value)
        if rest:
            unplaced = leaves(rest)
            if unplaced:
                document["portcullis"]["unplaced"] = unplaced
            rest = {path: values if len(values) > 1 else values[0] for path, values in rest.items()}
            document["aws"][mapper.source]["rest"] = rest
        return document


def place(tree, name, what):
    *groups, key = name.split(".")
    for group in groups:
        tree = tree.setdefault(group, {})
    tree[key] = what


class Code:
    """Writes the function: each of its short cuts does what `general` would do."""

    def __init__(self, whole):
        self.whole = whole
        self.lines = ["def written(hits, derived, refused, addresses, context):"]
        self.names = {"EMPTY": EMPTY, "REFUSED": REFUSED, "Many": Many}
        for function in (address, general, refuse, check, distinct):
            self.names[function.__name__] = function
        self.count = 0

    def function(self, tree):
        self.lines.append(f"    return {self.object(tree)}")
        exec("\n".join(self.lines), self.names)
        return self.names["written"]

    def line(self, text, depth=1):
        self.lines.append("    " * depth + text)

    def name(self, value):
        self.count += 1
        self.names[f"x{self.count}"] = value
        return f"x{self.count}"

    def object(self, tree):
        """The variable that holds the object."""
        self.count += 1
        out = f"o{self.count}"
        constants = {key: value for key, value in tree.items() if type(value) not in (dict, tuple)}
        self.line(f"{out} = {constants!r}")
        for key, what in tree.items():
            if type(what) is dict:
                inner = self.object(what)
                self.line(f"if {inner}: {out}[{key!r}] = {inner}")
            elif type(what) is tuple:
                self.row(f"{out}[{key!r}]", *what)
        return out

    def row(self, to, row, slots, own):
        value = "[v]" if row.is_list else "v"
        is_keyword = row.convert is keyword and not row.repeats
        if own == "replaced" and is_keyword:
            for slot in slots:
                self.line(f"if type(hits[{slot}]) is not str: check(hits, {slot}, refused)")
            self.line(f"v = derived[{row.number}]")
            self.line("if len(v) > 1:")
            self.line(f"{to} = distinct(v, {row.is_list})", 2)
            self.line("elif v[0]:")
            return self.line(f"{to} = {'v' if row.is_list else 'v[0]'}", 2)
        rest = f"general({self.name((row, slots, own))}, context)"
        is_simple = own is None and len(slots) == 1 and row.convert and not row.repeats and slots[0] not in self.whole
        if not is_simple or row.is_list and row.convert not in (keyword, ip):
            self.line(f"v = {rest}")
            return self.line(f"if v is not None: {to} = v")
        self.line(f"v = hits[{slots[0]}]")
        if is_keyword:
            self.line("if type(v) is str:")
            self.line(f"if v: {to} = {value}", 2)
        elif row.convert is ip:
            self.line("f = address(v) if type(v) is str else None")
            self.line("if f:")
            self.line("addresses.add(f)", 2)
            self.line(f"{to} = {value.replace('v', 'f[1]')}", 2)
        else:
            self.line("if type(v) is not Many:")
            self.line(f"v = {self.name(row.convert)}(v)", 2)
            self.line(f"if v is REFUSED: refuse(refused, {slots[0]}, 0)", 2)
            self.line(f"elif v is not EMPTY: {to} = v", 2)
        self.line("else:")
        self.line(f"v = {rest}", 2)
        self.line(f"if v is not None: {to} = v", 2)


def refuse(refused, slot, number):
    refused[slot, number] = refused.get((slot, number), 0) + 1


def check(hits, slot, refused):
    """What is no plain value is not replaced by what was derived."""
    for number, value in enumerate(found(hits, slot)):
        if type(value) is dict or type(value) is list:
            refuse(refused, slot, number)


def distinct(values, is_list):
    values = [value for value in dict.fromkeys(values) if value]
    return values if is_list or len(values) > 1 else values[0]


def general(what, context):
    """The value of a row, an array of several, or nothing."""
    row, slots, own = what
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
        for number, value in enumerate(found(hits, slot)):
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
        for value in found(hits, slot):
            if slot in mapper.whole:
                if leaves(value) and value != "":
                    out.setdefault(mapper.names[slot], []).append(value)
            elif type(value) is tuple:
                name, value = value
                out.setdefault(name.lower(), []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in out.items()} or None
