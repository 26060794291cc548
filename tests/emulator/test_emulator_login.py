"""Ways to log in, against the emulator's own token endpoint."""

from __future__ import annotations

import pytest

WHERE = ("--subscription", "s", "-g", "g", "--name", "other")
PRINCIPAL = ("workspace", "login", "--service-principal", "--tenant", "t", "--client-id", "c")


@pytest.fixture
def secret(emulator):
    return emulator.environment["IDENTITY_HEADER"]


def test_a_service_principal_logs_in_by_a_secret_on_stdin_that_is_not_kept(
    remote, secret, tmp_path
):
    done = remote(*PRINCIPAL, "--client-secret-stdin", *WHERE, stdin=secret + "\n")

    assert done.returncode == 0, done.stderr
    assert secret not in done.stdout + done.stderr
    for file in (tmp_path / "remote").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
    listed = remote(
        "-w", "other", "data", "list", "-o", "name", env={"AZURE_CLIENT_SECRET": secret}
    )
    assert (listed.returncode, listed.stdout) == (0, "")


def test_a_service_principal_with_another_secret_is_refused(remote, secret):
    done = remote(*PRINCIPAL, *WHERE, env={"AZURE_CLIENT_SECRET": secret + "x"})

    assert done.returncode == 4
    assert done.stderr.count("error:") == 1
    assert secret not in done.stderr
    assert "other" not in remote("workspace", "list", "-o", "name").stdout.split()


def test_a_federated_token_logs_in(remote, secret, tmp_path):
    (tmp_path / "token").write_text(secret)
    variables = {
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token"),
    }

    done = remote("workspace", "login", "--workload-identity", *WHERE, env=variables)

    assert done.returncode == 0, done.stderr
    assert remote("-w", "other", "workspace", "doctor", env=variables).returncode == 0


def test_the_default_credential_logs_in_with_the_variables_of_the_emulator(remote):
    assert remote("workspace", "login", "--default", *WHERE).returncode == 0
    assert remote("-w", "other", "compute", "list", "-o", "name").stdout == "local\n"


def test_a_workspace_that_is_logged_out_of_is_gone(remote):
    assert remote("workspace", "logout", "emu").returncode == 0

    assert "emu" not in remote("workspace", "list", "-o", "name").stdout.split()
    assert remote("-w", "emu", "data", "list").returncode == 3


def test_doctor_is_well_on_the_emulator(remote):
    done = remote("workspace", "doctor", "-o", "json")

    assert done.returncode == 0, done.stdout
    assert '"well": false' not in done.stdout
