"""A keyring backend for tests: a JSON file named by FILE_KEYRING."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend


class FileKeyring(KeyringBackend):
    priority = 1

    @property
    def _file(self):
        return Path(os.environ["FILE_KEYRING"])

    def _all(self):
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service}:{username}")

    def set_password(self, service, username, password):
        self._file.write_text(json.dumps({**self._all(), f"{service}:{username}": password}))

    def delete_password(self, service, username):
        found = self._all()
        del found[f"{service}:{username}"]
        self._file.write_text(json.dumps(found))
