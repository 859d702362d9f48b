"""One value of a record as an index field of a type shows it.

`REFUSED` is the answer where the field would reject it, `EMPTY` where it says nothing.
"""

from datetime import datetime, timezone
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

REFUSED = object()
EMPTY = object()

HEX = frozenset("0123456789abcdefABCDEF:")


class Many(list):
    """Several values that were found at one path; a single one stands there as it is."""


def put(hits, slot, value):
    if slot not in hits:
        hits[slot] = Many([value]) if type(value) is list else value
    elif type(hits[slot]) is Many:
        hits[slot].append(value)
    else:
        hits[slot] = Many([hits[slot], value])


def found(hits, slot):
    """All values of a slot that has some."""
    value = hits[slot]
    return value if type(value) is Many else (value,)


@lru_cache(maxsize=65536)
def address(text):
    """A pair to sort by, or nothing: family and bytes, and how it is written."""
    family = AF_INET6 if ":" in text else AF_INET
    try:
        packed = inet_pton(family, text)
    except (OSError, ValueError):
        return None
    return ((family == AF_INET6, packed), inet_ntop(family, packed))


def looks_like_address(text):
    return len(text) < 46 and text[:1] in HEX and ("." in text[:5] or ":" in text[:5])


def millis(number):
    """Epoch seconds, milliseconds, microseconds or nanoseconds, told by their magnitude."""
    if number < 100_000_000_000:
        return int(number * 1000)
    while number >= 100_000_000_000_000:
        number //= 1000
    return int(number)


def moment(value):
    """RFC 3339 in UTC with milliseconds, or nothing."""
    if type(value) is str:
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return moment(int(value)) if value.isdecimal() else None
        if len(value) == 24 and value[23] == "Z":
            return value
        if len(value) == 20 and value[19] == "Z":
            return value[:19] + ".000Z"
        if time.tzinfo is not timezone.utc:
            time = time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
    elif type(value) is bool:
        return None
    else:
        time = datetime.fromtimestamp(millis(value) / 1000, timezone.utc)
    return time.isoformat(timespec="milliseconds")[:23] + "Z"


def plain(value):
    """A scalar as text; nothing for an object or array."""
    kind = type(value)
    if kind is str:
        return value
    if kind is bool:
        return "true" if value else "false"
    return str(value) if kind is int or kind is float else None


def keyword(value):
    if type(value) is str:
        return value or EMPTY
    text = plain(value)
    return REFUSED if text is None else text


def name_of_a_host(value):
    """Where addresses have a field of their own."""
    text = keyword(value)
    return REFUSED if type(text) is str and looks_like_address(text) and address(text) else text


def ip(value):
    if type(value) is not str:
        return REFUSED
    if not value:
        return EMPTY
    found = address(value)
    return found[1] if found else REFUSED


def long(value):
    if type(value) is int:
        return value
    if type(value) is bool or value == "":
        return REFUSED if value != "" else EMPTY
    try:
        number = float(value)
        if type(value) is str and "." not in value:
            return int(value)
        return int(number) if number.is_integer() else REFUSED
    except (TypeError, ValueError):
        return REFUSED


def number(value):
    if type(value) is int or type(value) is float:
        return value
    if value == "":
        return EMPTY
    try:
        return float(value) if type(value) is str else REFUSED
    except ValueError:
        return REFUSED


def boolean(value):
    if type(value) is bool:
        return value
    return {"true": True, "false": False, "": EMPTY}.get(value, REFUSED) if type(value) is str else REFUSED


def date(value):
    if value == "":
        return EMPTY
    if type(value) is dict or type(value) is list:
        return REFUSED
    return moment(value) or REFUSED


def place(value):
    if type(value) is not dict or len(value) != 2:
        return REFUSED
    try:
        lat, lon = ("lat", "lon") if "lat" in value else ("Lat", "Lon")
        return {"lat": value[lat], "lon": value[lon]}
    except KeyError:
        return REFUSED


CONVERT = {
    "keyword": keyword,
    "text": keyword,
    "ip": ip,
    "long": long,
    "float": number,
    "boolean": boolean,
    "date": date,
    "geo_point": place,
}


def leaves(value):
    """How many plain values there are in it."""
    kind = type(value)
    if kind is dict:
        return sum(map(leaves, value.values()))
    if kind is list:
        return sum(map(leaves, value))
    return value is not None


def first(hits, row):
    """The row's first value as text."""
    for slot in row.slots:
        value = hits.get(slot)
        if type(value) is str and value:
            return value
        if value is not None:
            for value in found(hits, slot):
                text = plain(value)
                if text:
                    return text
    return None


def every(hits, row):
    for slot in row.slots:
        for value in found(hits, slot) if slot in hits else ():
            text = plain(value)
            if text:
                yield text
