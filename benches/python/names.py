"""Domain names: their spelling, reverse look-ups, and what of a name somebody registered. The same names come often."""

from functools import lru_cache
from ipaddress import IPv6Address

from publicsuffixlist import PublicSuffixList

from values import address

ALL = PublicSuffixList()
OFFICIAL = PublicSuffixList(only_icann=True)


@lru_cache(maxsize=65536)
def canonical(name):
    if name.endswith(".") and len(name) > 1 and not name.endswith("\\."):
        name = name[:-1]
    return name.lower()


@lru_cache(maxsize=65536)
def reversed_address(name):
    """The address that a canonical name asks about, or is."""
    if name.endswith(".in-addr.arpa"):
        is_address = address(".".join(reversed(name.removesuffix(".in-addr.arpa").split("."))))
        return is_address and is_address[1]
    if name.endswith(".ip6.arpa"):
        nibbles = "".join(reversed(name.removesuffix(".ip6.arpa").split(".")))
        return str(IPv6Address(int(nibbles, 16))) if len(nibbles) == 32 else None
    is_address = address(name) if name[-1:].isdecimal() or ":" in name else None
    return is_address and is_address[1]


@lru_cache(maxsize=65536)
def parts(name):
    """Public suffix, registered domain and what stands before that."""
    if len(name) > 255 or name.startswith(".") or name.endswith(".") or ".." in name:
        return None, None, None
    suffix = ALL.publicsuffix(name)
    if suffix == name and "." in name and OFFICIAL.publicsuffix(name) != name:
        suffix, registered, _ = parts(name.partition(".")[2])
    else:
        registered = ALL.privatesuffix(name)
    before = name.removesuffix(registered).removesuffix(".") if registered else None
    return suffix, registered, before or None


def name_in(data, kind):
    """The name that an answer consists of or ends with."""
    if kind in ("CNAME", "NS", "PTR", "DNAME"):
        name = data
    elif kind in ("MX", "SRV"):
        name = data.rpartition(" ")[2] if " " in data else ""
    elif kind in ("TXT", "SPF") or not data.endswith(".") or any(mark in data for mark in ' "@'):
        return None
    else:
        name = data
    return name if name not in ("", ".") else None
