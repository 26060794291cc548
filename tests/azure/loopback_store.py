"""What the loopback cloud keeps: assets, jobs, computes, datastores, runs and blobs, in memory.

It answers as the requests recorded from the real SDK were answered; it runs nothing. What a job
does is told by the test.
"""

from __future__ import annotations

import base64
import datetime
import email.utils
import hashlib
import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.sax.saxutils import escape

ACCOUNT = "acct"
CONTAINER = "azureml-blobstore"
KEY = base64.b64encode(b"k" * 64).decode()
ASSETS = ("data", "environments", "components", "models", "codes")


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Store:
    """One workspace's content. blobs: (container, path) -> (bytes, metadata)."""

    base: str
    workspace: str
    resources: dict[str, dict] = field(default_factory=dict)
    blobs: dict[tuple[str, str], tuple[bytes, dict]] = field(default_factory=dict)
    runs: dict[str, dict] = field(default_factory=dict)
    logs: dict[str, dict[str, bytes]] = field(default_factory=dict)
    metrics: dict[str, list[dict]] = field(default_factory=dict)
    ranges: list[tuple[str, int]] = field(default_factory=list)
    operations: dict[str, list[dict]] = field(default_factory=dict)
    page_size: int = 1000

    def __post_init__(self):
        port = self.base.rsplit(":", 1)[-1]
        self.blob_url = f"https://127.0.0.1:{port}/{ACCOUNT}.blob.core.localhost"
        for name, container in (
            ("workspaceblobstore", CONTAINER),
            ("workspaceartifactstore", "azureml"),
        ):
            self.put(
                f"/datastores/{name}",
                {
                    "datastoreType": "AzureBlob",
                    "accountName": f"127.0.0.1:{port}/{ACCOUNT}",
                    "containerName": container,
                    "endpoint": "core.localhost",
                    "protocol": "https",
                    "isDefault": container == CONTAINER,
                    "credentials": {"credentialsType": "AccountKey"},
                },
            )

    def put(self, path: str, properties: dict, **beside) -> dict:
        old = self.resources.get(path, {})
        made = {
            "id": self.workspace + path,
            "name": path.rsplit("/", 1)[-1],
            "type": "Microsoft.MachineLearningServices/workspaces",
            "systemData": old.get("systemData")
            or {"createdAt": now(), "createdBy": "ada", "createdByType": "User"},
            **beside,
            "properties": properties,
        }
        self.resources[path] = made
        return made

    # Azure Resource Manager.

    def arm(self, method: str, path: str, query: dict, body: dict) -> tuple[int, dict | None, dict]:
        """Answer a request below the workspace: status, body, headers."""
        parts = path.strip("/").split("/")
        if parts[0] in ASSETS:
            return self.asset(method, parts, query, body)
        action = parts[-1]
        if method == "POST":
            return self.act("/" + "/".join(parts[:-1]), action)
        if method == "GET" and parts[-1].startswith("operation-"):
            steps = self.operations[parts[-1]]
            return 200, steps.pop(0) if len(steps) > 1 else steps[0], {"Retry-After": "0"}
        if method == "GET" and len(parts) == 1:
            found = [v for k, v in self.resources.items() if re.match(rf"/{parts[0]}/[^/]+$", k)]
            if query.get("isDefault") == "true":
                found = [each for each in found if each["properties"].get("isDefault")]
            return 200, self.page(path, self.visible(found, query), query), {}
        if method == "GET":
            return 200, self.one(path), {}
        if method == "DELETE":
            return (200 if self.resources.pop(path, None) else 204), None, {}
        if parts[0] == "jobs" and path in self.resources:
            raise Refused(409, "UserError", "A job with this name already exists.")
        properties = dict(body["properties"])
        beside = {key: value for key, value in body.items() if key != "properties"}
        if parts[0] == "jobs":
            self.start(parts[1], properties)
        elif parts[0] == "datastores":
            (properties.get("credentials") or {}).pop("secrets", None)
        else:
            properties["provisioningState"] = "Succeeded"
        made = self.put(path, properties, **beside)
        waiting = [key for key in self.operations if key.startswith("operation-put")]
        if parts[0] == "computes" and waiting:
            url = f"{self.base}{self.workspace}/{waiting[0]}"
            return 201, made, {"Azure-AsyncOperation": url, "Retry-After": "0"}
        return 201, made, {}

    def act(self, path, action):
        if action == "listSecrets":
            self.one(path)
            return 200, {"secretsType": "AccountKey", "key": KEY}, {}
        if action == "cancel":
            self.one(path)["properties"]["status"] = "CancelRequested"
            return 202, None, {"Location": f"{self.base}{self.workspace}{path}"}
        if action in {"start", "stop"}:
            self.one(path)["properties"].setdefault("properties", {})["state"] = {
                "start": "Running",
                "stop": "Stopped",
            }[action]
            return 202, None, {"Location": f"{self.base}{self.workspace}{path}", "Retry-After": "0"}
        raise Refused(404, "NotFound", action)

    def one(self, path: str) -> dict:
        if path not in self.resources:
            raise Refused(404, "UserError", f"`{path}` was not found.")
        return self.resources[path]

    def visible(self, found: list[dict], query: dict) -> list[dict]:
        if query.get("listViewType", "ActiveOnly") == "All":
            return found
        return [each for each in found if not each["properties"].get("isArchived")]

    def page(self, path: str, found: list[dict], query: dict) -> dict:
        start = int(query.get("$skip", 0))
        more = start + self.page_size
        page = {"value": found[start:more]}
        if more < len(found):
            page["nextLink"] = f"{self.base}{self.workspace}{path}?$skip={more}&api-version=x"
        return page

    def asset(self, method, parts, query, body):
        kind, name = parts[0], parts[1] if len(parts) > 1 else None
        container = f"/{kind}/{name}"
        if name is None:
            found = [v for k, v in self.resources.items() if re.match(rf"/{kind}/[^/]+$", k)]
            return 200, self.page(f"/{kind}", self.visible(found, query), query), {}
        if len(parts) == 5:
            return 200, self.pending(parts), {}
        path = "/" + "/".join(parts)
        if method == "GET" and parts[-1] == "versions":
            return 200, self.page(path, self.versions(kind, container, query), query), {}
        if method == "GET":
            return 200, self.one(path), {}
        properties = dict(body["properties"])
        if len(parts) == 2:
            return 200, self.put(container, {**self.one(container)["properties"], **properties}), {}
        return self.register(kind, container, path, properties)

    def versions(self, kind, container, query):
        prefix = f"/{kind}/" if kind == "codes" and "hash" in query else f"{container}/versions/"
        found = [v for k, v in self.resources.items() if k.startswith(prefix) and "/versions/" in k]
        if "hash" in query:
            found = [
                each
                for each in found
                if (each["properties"].get("properties") or {}).get("hash_sha256") == query["hash"]
            ]
        elif container not in self.resources:
            raise Refused(404, "UserError", f"`{container}` was not found.")
        found.sort(key=lambda each: each["systemData"]["createdAt"], reverse=True)
        found = self.visible(found, query)
        return found[: int(query["$top"])] if "$top" in query else found

    def register(self, kind, container, path, properties):
        old = self.resources.get(path)
        for uri in ("dataUri", "codeUri", "modelUri"):
            if old and uri in properties and old["properties"].get(uri) != properties[uri]:
                raise Refused(409, "UserError", "Asset paths cannot be updated.")
        properties["provisioningState"] = "Succeeded"
        if kind == "models":
            properties.setdefault("flavors", {})
        made = self.put(path, properties)
        numbers = [
            int(key.rsplit("/", 1)[-1])
            for key in self.resources
            if key.startswith(f"{container}/versions/") and key.rsplit("/", 1)[-1].isdigit()
        ]
        about = dict(self.resources.get(container, {}).get("properties") or {"isArchived": False})
        about["latestVersion"] = made["name"]
        about["nextVersion"] = str(max(numbers, default=0) + 1)
        if kind == "data":
            about["dataType"] = properties.get("dataType")
        self.put(container, about)
        return (200 if old else 201), made, {}

    def pending(self, parts):
        container = "code-" + hashlib.sha1("/".join(parts[:4]).encode()).hexdigest()[:12]
        url = f"{self.blob_url}/{container}"
        return {
            "pendingUploadId": "p",
            "pendingUploadType": "TemporaryBlobReference",
            "blobReferenceForConsumption": {
                "blobUri": url,
                "storageAccountArmId": "/s",
                "credential": {"credentialType": "SAS", "sasUri": f"{url}?sv=2023-11-03&sig=c2ln"},
            },
        }

    def start(self, name, properties):
        properties["status"] = "Running"
        properties["services"] = {}
        properties["properties"] = dict(properties.get("properties") or {})
        properties.setdefault("experimentName", "Default")
        uri = f"azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.{name}"
        properties["outputs"] = {
            **(properties.get("outputs") or {}),
            "default": {"jobOutputType": "uri_folder", "uri": uri},
        }
        self.runs[name] = {
            "runId": name,
            "status": "Running",
            "runType": "azureml.commandrun",
            "createdUtc": now(),
            "startTimeUtc": now(),
            "properties": {},
            "tags": {},
        }

    def finish(self, name, status="Completed", **more):
        """Let a job end."""
        if f"/jobs/{name}" in self.resources:
            self.resources[f"/jobs/{name}"]["properties"]["status"] = status
        self.runs[name] |= {"status": status, "endTimeUtc": now(), **more}

    # The data plane.

    def history(self, method: str, path: str, body: dict) -> dict:
        """Answer a request to the run history below the workspace."""
        parts = path.strip("/").split("/")
        if parts[0] == "experiments":
            job = self.one(f"/jobs/{parts[3]}")["properties"]
            if "hidden" in body:
                job["isArchived"] = body["hidden"]
            job["tags"] = {**(job.get("tags") or {}), **(body.get("tags") or {})}
            return {"runId": parts[3]}
        name = parts[1]
        if name not in self.runs:
            raise Refused(404, "UserError", f"Run {name} was not found")
        if parts[-1] == "children":
            return {"value": [v for v in self.runs.values() if v.get("parentRunId") == name]}
        if parts[-1] == "details":
            files = {
                file: f"{self.base}/signed/{name}/{file}?sig=x" for file in self.logs.get(name, {})
            }
            return {**self.runs[name], "logFiles": files}
        return self.runs[name]

    def mlflow(self, path: str, query: dict) -> dict:
        """Answer a request to the tracking server."""
        logged = self.metrics.get(query["run_id"], [])
        if path.endswith("runs/get"):
            latest = {each["key"]: each for each in logged}
            return {"run": {"data": {"metrics": list(latest.values()), "params": []}}}
        return {"metrics": [each for each in logged if each["key"] == query["metric_key"]]}

    def signed(self, path: str, headers) -> tuple[int, bytes, dict]:
        """Answer a request for a log, from the byte that it asks for."""
        name, _, file = path.removeprefix("/signed/").partition("/")
        content = self.logs[name][unquote(file)]
        found = re.match(r"bytes=(\d+)-", headers.get("Range") or "")
        start = int(found[1]) if found else 0
        self.ranges.append((unquote(file), start))
        if start and start >= len(content):
            return 416, b"", {}
        return (206 if found else 200), content[start:], {}

    # Blobs.

    def blob(self, method, path, query, headers, body) -> tuple[int, bytes, dict]:
        """Answer a request to the blob service: status, body, headers."""
        container, _, name = unquote(path).lstrip("/").partition("/")[2].partition("/")
        stamp = {"x-ms-version": "2023-11-03", "ETag": '"e"'}
        stamp["Last-Modified"] = email.utils.formatdate(usegmt=True)
        key = (container, name)
        if query.get("comp") == "list":
            shown = self.listing(container, query.get("prefix", ""))
            return 200, shown, {**stamp, "Content-Type": "application/xml"}
        meta = {k.lower(): v for k, v in headers.items() if k.lower().startswith("x-ms-meta-")}
        if "x-ms-copy-source" in headers:
            # As storage behind a firewall: it cannot read itself by URL.
            return 403, b"", {**stamp, "x-ms-error-code": "CannotVerifyCopySource"}
        if method == "PUT" and query.get("comp") == "metadata":
            self.blobs[key] = (self.blobs[key][0], meta)
            return 200, b"", stamp
        if method == "PUT":
            if headers.get("If-None-Match") == "*" and key in self.blobs:
                return 409, b"", {**stamp, "x-ms-error-code": "BlobAlreadyExists"}
            self.blobs[key] = (body, meta)
            return 201, b"", stamp
        if key not in self.blobs:
            return 404, b"", {**stamp, "x-ms-error-code": "BlobNotFound"}
        if method == "DELETE":
            del self.blobs[key]
            return 202, b"", stamp
        content, meta = self.blobs[key]
        stamp |= {**meta, "x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        if method == "HEAD":
            return 200, content, stamp
        found = re.match(r"bytes=(\d+)-(\d*)", headers.get("x-ms-range") or "")
        if found and content:
            start, end = int(found[1]), min(int(found[2] or 1 << 60), len(content) - 1)
            stamp["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
            return 206, content[start : end + 1], stamp
        return (
            (416, b"", {**stamp, "x-ms-error-code": "InvalidRange"})
            if found
            else (200, content, stamp)
        )

    def listing(self, container, prefix):
        items = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(content)}</Content-Length>"
            f"<Last-Modified>{email.utils.formatdate(usegmt=True)}</Last-Modified><Etag>e</Etag>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
            for (of, name), (content, _) in sorted(self.blobs.items())
            if of == container and name.startswith(prefix)
        )
        head = '<?xml version="1.0" encoding="utf-8"?>'
        return f"{head}<EnumerationResults><Blobs>{items}</Blobs><NextMarker/></EnumerationResults>".encode()


def parsed(body: bytes) -> dict:
    """Return a request's JSON; {} where there is none."""
    return json.loads(body) if body else {}
