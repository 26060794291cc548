"""Logging in to a file share without a key, over TLS: a service principal, and the Azure CLI."""

from __future__ import annotations

import json
import os

import loopback_azure
import pytest
import shares_server
from shares_tree import Share


@pytest.fixture
def cloud(tmp_path):
    folder = tmp_path / "cloud"
    folder.mkdir()
    with loopback_azure.running(folder) as running:
        yield running


@pytest.fixture
def shares(cloud):
    """A server of file shares that takes the cloud's tokens, and has no key."""
    with shares_server.running((cloud.ca, cloud.ca.with_suffix(".key"))) as service:
        service.shares["images"] = Share()
        service.shares["images"].put("a.csv", b"1,2\n")
        service.tokens = cloud.tokens
        yield service


@pytest.fixture
def define(amlkit, shares, cloud):
    def made(*flags):
        done = amlkit(
            "datastore", "create", "--name", "images", "--type", "azure_file",
            "--account-name", "acme", "--file-share-name", "images",
            "--endpoint", shares.endpoint, *flags,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return lambda *arguments, env: amlkit(
            "datastore", *arguments, env={**cloud.environment, **env}
        )

    return made


def test_a_service_principal_logs_in_with_a_secret_that_is_only_named(define, cloud, tmp_path):
    run = define(
        "--tenant-id", loopback_azure.TENANT, "--client-id", loopback_azure.CLIENT,
        "--client-secret-env", "APP_SECRET", "--authority-url", cloud.base,
    )  # fmt: skip
    env = {"APP_SECRET": loopback_azure.SECRET}
    done = run("download", "images", "a.csv", "-p", "o", env=env)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o" / "a.csv").read_text() == "1,2\n"
    assert cloud.grants[-1]["scope"].startswith("https://storage.azure.com/.default")
    refused = run("ls", "images", env={"APP_SECRET": "wrong-secret-text"})
    assert refused.returncode == 4, refused.stderr
    assert "wrong-secret-text" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 2


def test_without_credentials_the_azure_cli_is_asked(define, cloud, tmp_path):
    run = define()
    folder = tmp_path / "bin"
    folder.mkdir()
    answer = {
        "accessToken": cloud.token("https://storage.azure.com"),
        "expiresOn": "2099-01-01 00:00:00.000000",
        "expires_on": 4070908800,
        "subscription": "s",
        "tenant": "t",
        "tokenType": "Bearer",
    }
    (folder / "az").write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    (folder / "az").chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}"}
    assert run("ls", "images", "-o", "name", env=env).stdout.split() == ["a.csv"]
    (folder / "az").write_text("#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n")
    failed = run("ls", "images", env=env)
    assert failed.returncode == 4, failed.stderr
    assert "az login, or define the datastore with a key or a SAS" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 2
