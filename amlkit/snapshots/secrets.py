"""Find credentials in source files before they are stored with a job.

Most files hold none: a search for a few plain words, at the speed of memory, rules them out before
a pattern is tried.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from amlkit.light import dataclass

LARGEST = 16 * 1024 * 1024
_HEAD = 8192
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST = 100
"""So many places of one kind in one file are enough to see what is wrong with it."""


class _Kind(NamedTuple):
    """What is looked for. words: in lower case, one of them is in whatever the pattern matches.

    folded: the pattern is for the text in lower case, which is quicker than ignoring case.
    """

    name: str
    words: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    folded: bool = False


def _kind(name: str, words: bytes, pattern: bytes, *, folded: bool = False) -> _Kind:
    return _Kind(name, tuple(words.split()), re.compile(pattern, re.MULTILINE), folded)


_VALUE = rb"(?=[^\"'\n]*\d)[a-z0-9+/~=-]{20,}"
_NAMES = rb"(?:client_?secret|account_?key|storage_?key|access_?key|sas_?token)"
_KINDS = (
    _kind(
        "storage account key",
        b"accountkey",
        rb"AccountKey\s*=\s*[A-Za-z0-9+/]{60,}={0,2}",
    ),
    _kind(
        "shared access key",
        b"sharedaccesskey",
        rb"SharedAccessKey\s*=\s*[A-Za-z0-9+/]{30,}={0,2}",
    ),
    _kind(
        "shared access signature",
        b"sig=",
        rb"(?:[?&\"']|&amp;)sig=[A-Za-z0-9%+/]{30,}",
    ),
    _kind(
        "service principal secret",
        b"q~",
        rb"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])",
    ),
    _kind(
        "private key",
        b"private",
        rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?![\"'])",
    ),
    _kind(
        "connection string with a password",
        b"password= pwd=",
        rb"(?:server|data source)=[^;\"'\n]{1,300};[^\"'\n]{0,200}?"
        rb"(?:password|pwd)=[^;\"'\s{}<>$%*]{6,}",
        folded=True,
    ),
    _kind(
        "database address with a password",
        b"sql:// sql+ postgres:// mongodb redis amqp",
        rb"\b(?:postgres(?:ql)?|mysql|mssql|mongodb|rediss?|amqps?)(?:\+\w+)?://"
        rb"[^\s:/@\"'{}<>$%]*:(?!pass|secret|example|changeme|xxx)[^\s@/\"'{}<>$*]{6,}@"
        rb"(?!localhost|127\.|example|host\b|server\b)",
        folded=True,
    ),
    _kind(
        "secret",
        b"client_secret clientsecret account_key accountkey storage_key storagekey access_key"
        b" accesskey sas_token sastoken",
        # Of YAML, of Python with and without a type, of os.environ[...]; in notebooks, as JSON.
        _NAMES
        + rb"\\?[\"']?\]?(?:[ \t]*:[ \t]*[a-z][\w.|\[\] ]{0,40}=|\s*[:=])\s*[bfru]{0,2}\\?[\"']"
        + _VALUE
        + rb"\\?[\"']"
        rb"|^[ \t]*(?:export |\"?%(?:set_)?env )?[a-z0-9_]*" + _NAMES + rb"(?:=|:[ \t]+)" + _VALUE,
        folded=True,
    ),
)


def version(largest: int, kinds: Iterable[_Kind]) -> str:
    """Return a text that is another one when other files are read, or others found clean."""
    looked_for = [(each.words, each.pattern.pattern, each.folded) for each in kinds]
    return hashlib.sha256(repr((largest, looked_for)).encode()).hexdigest()[:12]


RULES = version(LARGEST, _KINDS)
"""What was found clean by other rules is looked at again."""


@dataclass(frozen=True)
class Secret:
    """Where something that looks like a credential stands; never the credential itself."""

    file: str
    line: int
    kind: str


def scan(path: Path, name: str, size: int) -> list[Secret]:
    """Return the secrets in a file. Binary files and those above 16 MiB are not read."""
    if size > LARGEST:
        return []
    try:
        with path.open("rb") as file:
            data = file.read(_HEAD)
            if _is_binary(data):
                return []
            data += file.read()
    except OSError:
        # Storing the file says what is wrong with it.
        return []
    if data.startswith(_UTF16):
        # What PowerShell writes.
        data = data.decode("utf-16", "replace").encode()
    folded = data.lower()
    kinds: dict[int, str] = {}
    for kind in _KINDS:
        if any(word in folded for word in kind.words):
            text = folded if kind.folded else data
            line, counted = 1, 0
            for hit in islice(kind.pattern.finditer(text), _MOST):
                line += text.count(b"\n", counted, hit.start())
                counted = hit.start()
                kinds.setdefault(line, kind.name)
    return [Secret(name, line, kind) for line, kind in sorted(kinds.items())]


def _is_binary(head: bytes) -> bool:
    return b"\0" in head and not head.startswith(_UTF16)
