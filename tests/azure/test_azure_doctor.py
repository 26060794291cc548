"""`amlkit workspace doctor`: the first thing in the way, in at most three lines, with the fix."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("azure.identity")

from loopback_azure import CLIENT, SECRET, SUBSCRIPTION, TENANT, WORKSPACE, Fault

ENV = {
    "AMLKIT_LOGIN": "service-principal",
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_ID": CLIENT,
    "AZURE_CLIENT_SECRET": SECRET,
}


@pytest.fixture
def doctor(amlkit_on, tmp_path):
    config = {"subscription_id": SUBSCRIPTION, "resource_group": "rg", "workspace_name": "ws"}
    (tmp_path / "config.json").write_text(json.dumps(config))

    def run(**env):
        done = amlkit_on("workspace", "doctor", env={**ENV, **env})
        return done, json.loads(done.stdout)

    return run


def refused(done, checks, name, said, fix):
    assert done.returncode == 4
    assert [each["name"] for each in checks if not each["well"]] == [name]
    assert len(done.stderr.splitlines()) <= 3
    assert said in done.stderr
    assert fix in done.stderr


def test_an_untrusted_certificate(doctor):
    done, checks = doctor(REQUESTS_CA_BUNDLE="")
    refused(done, checks, "cloud", "certificate is not trusted", "REQUESTS_CA_BUNDLE")


def test_a_proxy_that_is_not_there(doctor):
    done, checks = doctor(NO_PROXY="", HTTPS_PROXY="http://127.0.0.1:9")
    refused(done, checks, "cloud", "cannot be reached", "HTTPS_PROXY")


def test_a_clock_that_is_wrong(doctor, cloud):
    cloud.clock_skew = 3600
    refused(*doctor(), "clock", "s off, and tokens need it right", "set the clock")


def test_a_secret_that_is_wrong(doctor):
    refused(*doctor(AZURE_CLIENT_SECRET="x"), "credential", "Invalid client secret", "login")


def test_a_workspace_that_is_gone(doctor, cloud):
    cloud.resources.pop(WORKSPACE)
    done, checks = doctor()
    assert done.returncode == 4
    assert checks[-1]["name"] == "workspace"


def test_a_role_that_is_missing(doctor, cloud):
    cloud.faults.append(Fault("/workspaces/ws", 403, 9, code="AuthorizationFailed"))
    refused(*doctor(), "workspace", "AuthorizationFailed", "role")


def test_storage_that_is_shut(doctor, cloud):
    cloud.faults.append(Fault("/datastores", 403, 9, code="AuthorizationFailed"))
    refused(*doctor(), "datastore", "AuthorizationFailed", "role")
