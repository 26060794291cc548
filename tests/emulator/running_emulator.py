"""A running emulator, asked by plain HTTPS, or by scripts that use the SDK."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "azure_sdk"
W = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"


class Emulator:
    """One that runs: asked by plain HTTPS, or by scripts that use the SDK."""

    def __init__(self, environment, record=None):
        self._record = record
        self.environment = environment
        self.url = self.environment["ARM_CLOUD_METADATA_URL"].split("/metadata")[0]
        self.tls = ssl.create_default_context(cafile=self.environment["REQUESTS_CA_BUNDLE"])
        self.token = self.log_in()

    @classmethod
    def of(cls, amlkit):
        """Return the one that the command line knows of."""
        return cls(json.loads(amlkit("emulator", "env", "-o", "json").stdout))

    def log_in(self, secret=None):
        headers = {"X-IDENTITY-HEADER": secret or self.environment["IDENTITY_HEADER"]}
        resource = f"/msi/token?api-version=2019-08-01&resource={self.url}"
        return self.ask("GET", resource, headers=headers)[1].get("access_token")

    def ask(self, method, path, body=None, *, headers=None, raw=None):
        """Return (status, JSON or bytes, headers)."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        token = {
            "Authorization": f"Bearer {getattr(self, 'token', '')}",
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(
            self.url + path, data, {**token, **(headers or {})}, method=method
        )
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls)
        )
        try:
            with opener.open(request, timeout=30) as answer:
                content, status, found = answer.read(), answer.status, answer.headers
        except urllib.error.HTTPError as error:
            with error:
                content, status, found = error.read(), error.code, error.headers
        if "json" in found.get("Content-Type", ""):
            return status, json.loads(content), found
        return status, content, found

    def length(self, path):
        """Return how many bytes are at a path; they are not kept."""
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"Bearer {self.token}"}
        )
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls)
        )
        with opener.open(request, timeout=30) as answer:
            return sum(map(len, iter(lambda: answer.read(1 << 20), b"")))

    def requests(self):
        """Return what it was asked so far, those for login and addresses aside."""
        lines = [json.loads(line) for line in self._record.read_text().splitlines()]
        aside = ("/metadata/", "/msi/", "/emulator/", "/discovery/")
        return [each for each in lines if not each["path"].startswith(aside)]

    def fault(self, text):
        """Ask for a fault."""
        self._faults("POST", {"fault": text})

    def lift_faults(self):
        """Forget the faults that are still to come."""
        self._faults("DELETE", None)

    def _faults(self, method, body):
        secret = {"X-IDENTITY-HEADER": self.environment["IDENTITY_HEADER"]}
        assert self.ask(method, "/emulator/faults", body, headers=secret)[0] == 200

    def arm(self, method, path, body=None, **options):
        """Ask Resource Manager about something in the workspace."""
        return self.ask(method, f"{W}{path}?api-version=2099-01-01", body, **options)

    def script(self, name, *arguments, cwd):
        """Run a script of `examples/azure_sdk` with only the variables that `env` prints."""
        return self.python(str(EXAMPLES / name), *arguments, cwd=cwd)

    def sdk(self, code, *, cwd):
        """Run lines that use the SDK's `client`, as the scripts do."""
        begin = f"import sys; sys.path.insert(0, {str(EXAMPLES)!r})\n"
        return self.python(
            "-c", f"{begin}from client import connect\nclient = connect()\n{code}", cwd=cwd
        )

    def python(self, *arguments, cwd):
        """Run Python with only the variables that `env` prints."""
        clean = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AMLKIT_", "AZURE", "ARM_", "IDENTITY_", "MSI_"))
            and not key.lower().endswith("_proxy")
        }
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**clean, **self.environment},
            timeout=240,
            check=False,
        )
