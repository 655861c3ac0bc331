"""Writing a piece of lagesbild.toml by hand, with comments."""

from __future__ import annotations

import json
import re
import unicodedata


def quoted(value: str) -> str:
    """A TOML string. JSON's escapes are a subset of TOML's but for DEL, which is left out."""
    return json.dumps(value.replace("\x7f", ""), ensure_ascii=False)


def key(name: str) -> str:
    """A TOML key, bare where it may be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def entry(name: str, value: str, comment: str = "") -> str:
    """One `key = "value"` line."""
    return raw_entry(name, quoted(value), comment)


def raw_entry(name: str, value: str, comment: str = "") -> str:
    """One `key = value` line whose value is TOML already."""
    line = f"{key(name)} = {value}"
    return f"{line}  # {comment}" if comment else line


def slug(text: str, max_length: int = 40) -> str:
    """å ä ö without dots, words joined by underscores."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain)
    short = ""
    for word in words:
        if short and len(short) + len(word) + 1 > max_length:
            break
        short = f"{short}_{word}" if short else word[:max_length]
    return short


def unique_slug(text: str, taken: set[str]) -> str:
    """A slug nobody has yet; `taken` is added to."""
    base = slug(text) or "fraga"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name
