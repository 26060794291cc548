"""`amlkit workspace login` and `logout`, each way through the real azure-identity over real TLS."""

from __future__ import annotations

import json
import re
import stat
import sys

import pytest

pytest.importorskip("azure.identity")

from loopback_azure import CLIENT, SECRET, SUBSCRIPTION, TENANT, WORKSPACE

WHERE = ("--subscription", SUBSCRIPTION, "-g", "rg", "--name", "ws")
PRINCIPAL = ("--service-principal", "--tenant", TENANT, "--client-id", CLIENT)


# What a browser does after somebody has typed a password: it posts the answer back.
BROWSER = """
import json, ssl, sys, urllib.parse, urllib.request
trusting = ssl._create_unverified_context()
page = json.load(urllib.request.urlopen(sys.argv[1], context=trusting))
form = urllib.parse.urlencode({"code": "browser-code", "state": page["state"]}).encode()
urllib.request.urlopen(page["to"], data=form).read()
"""


def login(amlkit_on, *arguments, **given):
    return amlkit_on("workspace", "login", *arguments, *WHERE, **given)


def remembered(tmp_path):
    path = tmp_path / "home" / "config.json"
    return json.loads(path.read_text()) if path.exists() else {}


def everything_written(tmp_path):
    places = (tmp_path / "home", tmp_path / "user")
    files = [each for place in places for each in place.rglob("*") if each.is_file()]
    return "\n".join(each.read_text(errors="replace") for each in files)


def test_a_secret_from_stdin_logs_in_and_is_written_nowhere(amlkit_on, tmp_path, cloud):
    done = login(amlkit_on, *PRINCIPAL, "--client-secret-stdin", stdin=SECRET + "\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "ws"
    assert cloud.grants[0]["client_secret"] == SECRET
    assert SECRET not in everything_written(tmp_path) + done.stdout + done.stderr
    without = amlkit_on("workspace", "doctor")
    assert without.returncode == 4
    assert "AZURE_CLIENT_SECRET" in without.stderr
    given = amlkit_on("-w", "ws", "workspace", "doctor", env={"AZURE_CLIENT_SECRET": SECRET})
    wells = {each["name"]: each["well"] for each in json.loads(given.stdout)}
    assert wells["workspace"]


def test_a_refused_secret_is_exit_4_and_nothing_is_remembered(amlkit_on, tmp_path):
    done = login(amlkit_on, *PRINCIPAL, env={"AZURE_CLIENT_SECRET": "wrong"})
    assert done.returncode == 4
    assert "Invalid client secret" in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert remembered(tmp_path) == {}


def test_a_certificate_is_remembered_by_its_path_alone(amlkit_on, tmp_path, cloud):
    both = cloud.ca.read_text() + cloud.ca.with_suffix(".key").read_text()
    (tmp_path / "principal.pem").write_text(both)
    done = login(amlkit_on, *PRINCIPAL, "--certificate", "principal.pem")
    assert done.returncode == 0, done.stderr
    assert "client_assertion" in cloud.grants[0]
    kept = remembered(tmp_path)["workspaces"]["ws"]["credential"]
    assert kept["certificate"] == str(tmp_path / "principal.pem")
    assert "PRIVATE KEY" not in everything_written(tmp_path)
    (tmp_path / "principal.pem").unlink()
    gone = amlkit_on("workspace", "doctor")
    assert gone.returncode == 4
    assert "principal.pem" in gone.stderr


def test_a_device_code_is_shown_and_the_next_command_needs_none(amlkit_on, tmp_path, cloud):
    done = login(amlkit_on, "--device-code", "--plain-cache", "--tenant", TENANT)
    assert done.returncode == 0, done.stderr
    assert "open https://example.com/device and enter the code ABC-123" in done.stderr
    asked = len(cloud.grants)
    again = amlkit_on("workspace", "doctor", "-o", "json")
    assert json.loads(again.stdout)[3] == {
        "name": "credential",
        "well": True,
        "found": json.loads(again.stdout)[3]["found"],
        "fix": None,
    }
    assert len(cloud.grants) == asked
    (record,) = (tmp_path / "home" / "logins").glob("*.json")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert json.loads(record.read_text())["username"] == "ada@example.com"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the platform encrypts tokens")
def test_without_a_keyring_tokens_are_not_kept_plain_unasked(amlkit_on, tmp_path, cloud):
    done = login(amlkit_on, "--device-code")
    assert done.returncode == 4
    assert "--plain-cache" in done.stderr
    assert cloud.grants == []
    assert remembered(tmp_path) == {}


def test_a_browser_logs_in(amlkit_on, tmp_path, cloud):
    browser = tmp_path / "browser.py"
    browser.write_text(BROWSER)
    env = {"BROWSER": f"{sys.executable} {browser} %s &"}
    done = login(amlkit_on, "--interactive", "--plain-cache", "--tenant", TENANT, env=env)
    assert done.returncode == 0, done.stderr
    assert cloud.grants[0]["grant_type"] == "authorization_code"


def test_logging_out_leaves_no_token_no_record_and_no_name(amlkit_on, tmp_path, cloud):
    login(amlkit_on, "--device-code", "--plain-cache", "--tenant", TENANT)
    assert "refresh-me" in everything_written(tmp_path)
    done = amlkit_on("workspace", "logout", "ws")
    assert done.returncode == 0, done.stderr
    written = everything_written(tmp_path)
    assert not any(each in written for each in ("refresh-me", "ada@example.com", *cloud.tokens))
    assert remembered(tmp_path)["workspaces"] == {}
    assert amlkit_on("-w", "ws", "workspace", "show").returncode == 3


def test_a_managed_identity_logs_in(amlkit_on, cloud):
    env = {"IDENTITY_ENDPOINT": cloud.identity, "IDENTITY_HEADER": "right"}
    assert login(amlkit_on, "--managed-identity", env=env).returncode == 0
    done = login(amlkit_on, "--managed-identity", env={**env, "IDENTITY_HEADER": "wrong"})
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) <= 3


def test_a_workload_identity_sends_the_token_of_its_file(amlkit_on, tmp_path, cloud):
    (tmp_path / "token").write_text("from-kubernetes")
    env = {
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
    }
    done = login(amlkit_on, "--workload-identity", env=env)
    assert done.returncode == 0, done.stderr
    assert cloud.grants[0]["client_assertion"] == "from-kubernetes"
    assert "from-kubernetes" not in everything_written(tmp_path)


def test_on_github_the_runners_own_token_is_exchanged(amlkit_on, cloud):
    env = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": cloud.identity.replace("/msi", "/oidc?v=1"),
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "from-the-runner",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
    }
    done = login(amlkit_on, "--workload-identity", env=env)
    assert done.returncode == 0, done.stderr
    assert cloud.grants[0]["client_assertion"] == "for api://AzureADTokenExchange"


def test_a_tenant_that_cannot_be_one_is_a_usage_error(amlkit_on):
    wrong = ("--service-principal", "--tenant", "no tenant", "--client-id", CLIENT)
    done = login(amlkit_on, *wrong, env={"AZURE_CLIENT_SECRET": SECRET})
    assert done.returncode == 2
    assert "this login cannot be used" in done.stderr


def test_a_workload_identity_without_a_token_says_what_github_needs(amlkit_on):
    env = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT}
    done = login(amlkit_on, "--workload-identity", env=env)
    assert done.returncode == 4
    assert "id-token: write" in done.stderr


def test_the_azure_cli_is_asked_for_its_token(amlkit_on, tmp_path, cloud):
    token = cloud.token(cloud.base)
    az = tmp_path / "bin" / "az"
    az.parent.mkdir()
    answer = json.dumps({"accessToken": token, "expires_on": 4102444800, "tokenType": "Bearer"})
    az.write_text(f"#!/bin/sh\necho '{answer}'\n")
    az.chmod(0o755)
    import os

    env = {"PATH": f"{az.parent}{os.pathsep}{os.environ['PATH']}"}
    assert login(amlkit_on, "--azure-cli", env=env).returncode == 0
    without = login(amlkit_on, "--azure-cli", env={"PATH": "/usr/bin:/bin"})
    assert without.returncode == 4
    assert "Azure CLI not found" in without.stderr


def test_ci_needs_no_login_where_the_environment_says_how(amlkit_on, tmp_path):
    config = {"subscription_id": SUBSCRIPTION, "resource_group": "rg", "workspace_name": "ws"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    env = {
        "AMLKIT_LOGIN": "service-principal",
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_SECRET": SECRET,
    }
    found = json.loads(amlkit_on("workspace", "doctor", env=env).stdout)
    assert [each["well"] for each in found[:5]] == [True] * 5
    done = amlkit_on("workspace", "doctor", env={**env, "AMLKIT_LOGIN": "device-cod"})
    assert "did you mean `device-code`?" in done.stderr


def test_a_workspace_that_is_not_there_is_exit_3_and_not_remembered(amlkit_on, tmp_path, cloud):
    cloud.resources.pop(WORKSPACE)
    done = login(amlkit_on, *PRINCIPAL, env={"AZURE_CLIENT_SECRET": SECRET})
    assert done.returncode == 3
    assert re.search(r"workspace `ws`: .*\(ResourceNotFound, request request-1\)", done.stderr)
    assert remembered(tmp_path) == {}


def test_the_place_comes_from_config_json_or_az_configure(amlkit_on, tmp_path):
    env = {"AZURE_CLIENT_SECRET": SECRET}
    nowhere = amlkit_on("workspace", "login", *PRINCIPAL, env=env)
    assert nowhere.returncode == 2
    assert "--subscription, --resource-group, --name" in nowhere.stderr
    (tmp_path / "azure-cli").mkdir()
    (tmp_path / "azure-cli" / "config").write_text(
        f"[defaults]\ngroup = rg\nworkspace = ws\nsubscription = {SUBSCRIPTION}\n"
    )
    done = amlkit_on("workspace", "login", *PRINCIPAL, env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["location"] == f"{SUBSCRIPTION}/rg/ws"


def test_two_workspaces_of_one_name_go_by_their_aliases(amlkit_on, cloud):
    env = {"AZURE_CLIENT_SECRET": SECRET}
    other = WORKSPACE.replace("resourceGroups/rg", "resourceGroups/prod")
    cloud.resources[other] = {**cloud.resources[WORKSPACE], "id": other}
    assert login(amlkit_on, *PRINCIPAL, env=env).returncode == 0
    again = ("--subscription", SUBSCRIPTION, "-g", "prod", "--name", "ws")
    taken = amlkit_on("workspace", "login", *PRINCIPAL, *again, env=env)
    assert taken.returncode == 6
    assert "--alias" in taken.stderr
    assert (
        amlkit_on("workspace", "login", *PRINCIPAL, *again, "--alias", "prod", env=env).returncode
        == 0
    )
    listed = json.loads(amlkit_on("workspace", "list").stdout)
    assert {each["name"]: each["resource_group"] for each in listed if each["kind"] == "azure"} == {
        "ws": "rg",
        "prod": "prod",
    }
    assert json.loads(amlkit_on("workspace", "use", "ws").stdout)["resource_group"] == "rg"


def test_two_ways_at_once_and_none_are_usage_errors(amlkit_on):
    assert login(amlkit_on, "--azure-cli", "--default").returncode == 2
    assert login(amlkit_on).returncode == 2
    assert login(amlkit_on, "--azure-cli", "--client-secret-stdin").returncode == 2


def test_an_unknown_cloud_names_the_close_one(amlkit_on):
    env = {"ARM_CLOUD_METADATA_URL": "", "AZURE_CLOUD": "AzureChina"}
    done = login(amlkit_on, "--default", env=env)
    assert done.returncode == 2
    assert "did you mean `AzureChinaCloud`?" in done.stderr
