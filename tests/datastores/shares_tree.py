"""What a file share keeps: folders and files, in memory, with the rules of Azure Files.

Names keep upper case and do not tell it from lower; a file appears with its whole size, empty, and
is filled by ranges; a folder must be there before its files; every change gives a new ETag.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime

_ETAGS = itertools.count(0x8DAA197C00000)
MAX_RANGE = 4 * 1024 * 1024


class Refused(Exception):
    """An answer that says no, with the service's own code."""

    def __init__(self, status, code, message="The request is refused."):
        super().__init__(message)
        self.status, self.code = status, code


def iso(moment):
    """Return a moment as the service writes it, to 100 nanoseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


@dataclass
class File:
    name: str
    content: bytearray
    metadata: dict[str, str] = field(default_factory=dict)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    etag: str = ""
    modified: datetime = datetime.min
    written: str = ""

    def touch(self, *, written=True):
        self.etag = f'"0x{next(_ETAGS):X}"'
        self.modified = datetime.now(UTC)
        if written:
            self.written = iso(self.modified)


def key(path):
    return "".join(up if len(up := letter.upper()) == 1 else letter for letter in path)


@dataclass
class Share:
    """One share. files, folders: by their paths without case; the values have it."""

    files: dict[str, File] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=lambda: {"": ""})

    # What tests look at and put there, as somebody else would.

    def names(self):
        """Return the paths of all files but those that are being uploaded."""
        found = (each.name for each in list(self.files.values()))
        return sorted(name for name in found if not name.startswith(".amlkit-uploads/"))

    def parts(self):
        """Return the files that are being uploaded, or were left."""
        return [v for v in list(self.files.values()) if v.name.startswith(".amlkit-uploads/")]

    def put(self, path, content):
        for end in [i for i, letter in enumerate(path) if letter == "/"]:
            self.folders.setdefault(key(path[:end]), path[:end])
        made = self.files[key(path)] = File(path, bytearray(content))
        made.ranges = [(0, len(content) - 1)] if content else []
        made.touch()
        return made

    def edit(self, path, start, content):
        """Change bytes of a file, as a program does that has the share mounted."""
        found = self.files[key(path)]
        found.content[start : start + len(content)] = content
        found.touch()

    # Operations.

    def in_folder(self, path):
        """Refuse a path whose folder is not there. Source: "Azure Files error codes"."""
        if key(path.rpartition("/")[0]) not in self.folders:
            raise Refused(404, "ParentNotFound", "The specified parent path does not exist.")

    def file(self, path):
        self.in_folder(path)
        if key(path) not in self.files:
            raise Refused(404, "ResourceNotFound", "The specified resource does not exist.")
        return self.files[key(path)]

    def create_file(self, path, size, metadata):
        self.in_folder(path)
        self.no_folder(path)
        made = self.files[key(path)] = File(path, bytearray(size), metadata)
        made.touch()
        return made

    def no_folder(self, path):
        if key(path) in self.folders:
            raise Refused(409, "ResourceTypeMismatch", "The resource is a directory.")

    def put_range(self, path, start, content):
        found = self.file(path)
        if len(content) > MAX_RANGE:
            raise Refused(413, "RequestBodyTooLarge")
        if start + len(content) > len(found.content):
            raise Refused(416, "InvalidRange", "The range specified is invalid.")
        found.content[start : start + len(content)] = content
        found.ranges.append((start, start + len(content) - 1))
        found.touch()
        return found

    def rename(self, source, target, *, replace, metadata, written):
        """Give a file another name: its content, its times and its metadata stay with it."""
        moving = self.file(source)
        self.in_folder(target)
        self.no_folder(target)
        if key(target) in self.files and not replace:
            raise Refused(409, "ResourceAlreadyExists", "The specified resource already exists.")
        del self.files[key(source)]
        self.files[key(target)] = moving
        moving.name = target
        moving.metadata = metadata or moving.metadata
        moving.touch(written=False)
        moving.written = written or moving.written
        return moving

    def delete_file(self, path):
        self.file(path)
        del self.files[key(path)]

    def create_folder(self, path):
        self.in_folder(path)
        if key(path) in self.files:
            raise Refused(409, "ResourceTypeMismatch", "The resource is a file.")
        if key(path) in self.folders:
            raise Refused(409, "ResourceAlreadyExists", "The specified resource already exists.")
        self.folders[key(path)] = path

    def delete_folder(self, path):
        files, folders = self.below(path)
        if files or folders:
            raise Refused(409, "DirectoryNotEmpty", "The specified directory is not empty.")
        del self.folders[key(path)]

    def below(self, path, prefix=""):
        """Return the files and the folders in a folder, by name."""
        if key(path) in self.files:
            raise Refused(409, "ResourceTypeMismatch", "The resource is a file.")
        if path:
            self.in_folder(path)
        if key(path) not in self.folders:
            raise Refused(404, "ResourceNotFound", "The specified resource does not exist.")

        def inside(name):
            folder, _, leaf = name.rpartition("/")
            return name and key(folder) == key(path) and key(leaf).startswith(key(prefix))

        files = {v.name.rsplit("/", 1)[-1]: v for v in self.files.values() if inside(v.name)}
        folders = [v.rsplit("/", 1)[-1] for v in self.folders.values() if inside(v)]
        return files, folders
