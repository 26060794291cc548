"""Azure on a bad day: the right exit code, one clear message, nothing half-registered."""

from __future__ import annotations

import pytest


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "digits"
    place.mkdir()
    for number in range(4):
        (place / f"{number}.csv").write_text(str(number) * 1000)
    return place


def told_once(done):
    """Check that there is one message, and return it."""
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    assert len(done.stderr.splitlines()) <= 2
    return done.stderr


def test_a_refusal_is_told_once_with_its_exit_code(emulator, remote):
    for status, code in ((401, 4), (403, 4), (404, 3), (409, 6), (400, 1)):
        emulator.fault(f"{status}:1:GET .*/data$")
        done = remote("data", "list")
        assert done.returncode == code, status
        assert "this failure was asked for" in told_once(done)
    assert remote("data", "list", "-o", "name").returncode == 0


def test_too_many_requests_are_answered_by_waiting(emulator, remote):
    emulator.fault("429:1:GET .*/data$")

    assert remote("data", "list").returncode == 0
    assert [each["status"] for each in emulator.requests()][-2:] == [429, 200]


@pytest.mark.slow
def test_a_service_that_fails_three_times_is_asked_a_fourth_time(emulator, remote):
    emulator.fault("500:3:GET .*/data$")

    assert remote("data", "list").returncode == 0
    assert [each["status"] for each in emulator.requests()][-4:] == [500, 500, 500, 200]


@pytest.mark.slow
def test_a_service_that_goes_on_failing_is_told_once(emulator, remote, folder):
    emulator.fault("500:99:PUT .*/data/")

    done = remote("data", "create", "--name", "digits", "--path", folder)

    assert done.returncode == 1
    assert "this failure was asked for" in told_once(done)


@pytest.mark.slow
def test_what_is_refused_at_the_end_is_not_registered(emulator, remote, amlkit, folder):
    create = ("data", "create", "--name", "digits", "--path", folder, "--version", "1")
    for status, code in ((403, 4), (409, 6), (400, 1)):
        emulator.fault(f"{status}:1:PUT .*/data/digits/versions/")
        done = remote(*create)
        assert done.returncode == code, status
        told_once(done)
        assert amlkit("data", "list", "-o", "name").stdout == ""
    assert remote(*create).returncode == 0


@pytest.mark.slow
def test_an_upload_that_breaks_off_and_is_repeated_sends_only_what_is_missing(
    emulator, remote, amlkit, folder
):
    emulator.fault("reset:99:PUT .*/LocalUpload/.*/3.csv")
    create = ("data", "create", "--name", "digits", "--path", folder, "-o", "name")

    done = remote(*create)

    assert done.returncode == 1
    assert told_once(done)
    assert amlkit("data", "list", "-o", "name").stdout == ""
    emulator.lift_faults()
    before = len(emulator.requests())
    again = remote(*create)
    assert (again.returncode, again.stdout) == (0, "digits:1\n"), again.stderr
    sent = [
        each["path"].rsplit("/", 1)[1]
        for each in emulator.requests()[before:]
        if each["method"] == "PUT" and "/LocalUpload/" in each["path"]
    ]
    assert sorted(set(sent)) == ["3.csv"]


@pytest.mark.slow
def test_a_job_whose_code_cannot_be_sent_is_not_started(emulator, remote, amlkit, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "run.py").write_text("print(1)")
    (tmp_path / "job.yml").write_text(
        "command: python run.py\ncode: src\nenvironment: {image: ubuntu}\n"
    )
    emulator.fault("403:9:PUT .*/mlcode-")

    done = remote("job", "submit", "job.yml")

    assert done.returncode == 4
    told_once(done)
    assert amlkit("job", "list", "-o", "name").stdout == ""
    emulator.lift_faults()
    assert remote("job", "submit", "job.yml", "--wait").returncode == 0


def test_a_long_running_operation_that_fails_says_why(emulator, remote):
    emulator.fault("failed:1:PUT .*/computes/")
    create = ("compute", "create", "--name", "cpu", "--size", "Standard_DS3_v2")

    done = remote(*create)

    assert done.returncode == 1
    assert "OperationFailed" in told_once(done)
    assert remote("compute", "list", "-o", "name").stdout.split() == ["local"]
    assert remote(*create).returncode == 0
    assert sorted(remote("compute", "list", "-o", "name").stdout.split()) == ["cpu", "local"]


@pytest.mark.slow
def test_an_emulator_that_has_gone_is_told_once(emulator, remote, amlkit):
    amlkit("emulator", "stop")

    done = remote("data", "list")

    assert done.returncode in {1, 4}
    told_once(done)
