"""Find credentials in source files before they are stored with a job."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LARGEST = 1024 * 1024
_KINDS = {
    "storage account key": rb"AccountKey=[A-Za-z0-9+/]{60,}={0,2}",
    "shared access key": rb"SharedAccessKey=[A-Za-z0-9+/]{30,}={0,2}",
    "shared access signature": rb"[?&]sig=[A-Za-z0-9%+/]{30,}",
    "service principal secret": rb"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}(?![\w~.-])",
    "private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
}
_ANY = re.compile(b"|".join(b"(%b)" % pattern for pattern in _KINDS.values()))


@dataclass(frozen=True)
class Secret:
    """Where something that looks like a credential stands; never the credential itself."""

    file: str
    line: int
    kind: str


def scan(path: Path, name: str, size: int) -> list[Secret]:
    """Return the secrets in a file. Binary files and those above 1 MiB are not read."""
    if size > LARGEST:
        return []
    try:
        data = path.read_bytes()
    except OSError:
        # Storing the file says what is wrong with it.
        return []
    if b"\0" in data[:8192]:
        return []
    kinds = list(_KINDS)
    return [
        Secret(name, data.count(b"\n", 0, hit.start()) + 1, kinds[(hit.lastindex or 1) - 1])
        for hit in _ANY.finditer(data)
    ]
