"""The paths of a table as a tree of keys; what they may say is told in transforms/src/engine/trie.rs."""


class Node:
    """What is known under one name."""

    __slots__ = ("path", "prefix", "slot", "children", "choice", "whole", "notes")

    def __init__(self, path=""):
        self.path = path
        self.prefix = path + "." if path else ""
        self.slot = None
        self.children = {}
        self.choice = None
        self.whole = False
        # Whether a text here may be an address. Versions look like some.
        self.notes = not path.endswith("ersion")


class Choice:
    """Elements such as `{"name": "Host", "value": "example.com"}`: which slot takes the value of which name."""

    __slots__ = ("key", "value", "slots", "others")

    def __init__(self, key, value):
        self.key = key
        self.value = value
        self.slots = {}
        self.others = None


def expand(path):
    """`a.{b,c}.d` to `a.b.d` and `a.c.d`."""
    if "{" not in path:
        return [path]
    before, _, rest = path.partition("{")
    inside, _, after = rest.partition("}")
    return [whole for choice in inside.split(",") for whole in expand(before + choice + after)]


class Tree:
    """All paths of a table. Each distinct one has a slot, and a slot has a name in the rest of a document."""

    def __init__(self, fold):
        self.fold = fold
        self.root = Node()
        self.names = []
        self.whole = set()
        self.inside_whole = set()
        self.envelope = {}

    def add(self, source):
        slots = []
        for alternative in filter(None, source.split(" | ")):
            for path in expand(alternative):
                slot = self._add(path)
                if slot not in slots:
                    slots.append(slot)
        return slots

    def settle(self):
        """Once all paths are there: both spellings of a key, and which slots are inside a value that is kept whole."""
        self._settle(self.root, False)

    def _slot(self, name):
        self.names.append(name)
        return len(self.names) - 1

    def _add(self, path):
        if path.startswith("^"):
            return self._outer(path[1:])
        node = self.root
        segments = path.split(".")
        for number, segment in enumerate(segments):
            key, _, choice = segment.partition("[")
            name = key.removesuffix("!")
            if name not in node.children:
                node.children[name] = Node(node.prefix + name)
            node = node.children[name]
            node.whole |= name != key
            by, equals, name = choice.rstrip("]").partition("=")
            if equals:
                return self._choose(node, by, name, segments[number + 1])
        if node.slot is None:
            node.slot = self._slot(node.path)
        if node.whole:
            self.whole.add(node.slot)
        return node.slot

    def _outer(self, path):
        if path not in self.envelope:
            self.envelope[path] = self._slot(path)
            self.inside_whole.add(self.envelope[path])
        return self.envelope[path]

    def _choose(self, node, by, name, value):
        node.choice = node.choice or Choice(by, value)
        if name == "*":
            if node.choice.others is None:
                node.choice.others = self._slot(node.prefix + value)
            return node.choice.others
        if name not in node.choice.slots:
            node.choice.slots[name] = self._slot(node.prefix + value)
        return node.choice.slots[name]

    def _settle(self, node, inside):
        if inside and node.slot is not None:
            self.inside_whole.add(node.slot)
        for child in node.children.values():
            self._settle(child, inside or node.whole)
        if self.fold:
            for key, child in list(node.children.items()):
                node.children[key[:1].upper() + key[1:]] = child
                node.children[key[:1].lower() + key[1:]] = child
