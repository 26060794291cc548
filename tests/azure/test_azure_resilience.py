"""What Azure does on a bad day: the right exit code, one clear message, nothing half-registered."""

from __future__ import annotations

import pytest

pytest.importorskip("azure.ai.ml")

from loopback_azure import Fault

from amlkit.errors import AmlkitError, Conflict, NotFound, NotLoggedIn

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "digits"
    place.mkdir()
    for number in range(4):
        (place / f"{number}.csv").write_text(str(number) * 1000)
    return place


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotLoggedIn), (403, NotLoggedIn), (404, NotFound), (400, AmlkitError)],
)
def test_a_refusal_is_told_once_and_not_tried_again(on_azure, cloud, status, kind):
    cloud.faults.append(Fault("/data", status, 1))
    with pytest.raises(kind) as caught:
        on_azure.data.list()
    assert "Injected, request request-1" in caught.value.message
    assert len([path for _, path in cloud.log if path.endswith("/data")]) == 1


def test_too_many_requests_are_answered_by_waiting_as_long_as_azure_says(on_azure, cloud):
    cloud.faults.append(Fault("/data", 429, 2, {"Retry-After": "0"}))
    assert on_azure.data.list() == []


@pytest.mark.slow
def test_too_many_requests_for_ever_end_in_one_message(on_azure, cloud):
    cloud.faults.append(Fault("/data", 429, 99, {"Retry-After": "0"}))
    with pytest.raises(AmlkitError) as caught:
        on_azure.data.list()
    assert "fewer requests" in caught.value.hint


@pytest.mark.slow
def test_three_failures_of_the_service_and_then_it_works(on_azure, cloud):
    cloud.faults.append(Fault("/data", 500, 3, {"Retry-After": "0"}))
    assert on_azure.data.list() == []


def test_a_connection_that_breaks_off_while_reading_is_made_again(on_azure, cloud):
    cloud.faults.append(Fault("/data", 0, 1))
    assert on_azure.data.list() == []


def test_a_connection_that_breaks_off_mid_upload_is_made_again(on_azure, cloud, folder):
    cloud.faults.append(Fault("2.csv", 0, 1))
    assert on_azure.data.create(name="digits", path=folder).version == "1"
    assert len({name for _, name in cloud.store.blobs if name.endswith(".csv")}) == 4


def test_an_upload_that_fails_registers_nothing_and_goes_on_where_it_was(on_azure, cloud, folder):
    cloud.faults.append(Fault("2.csv", 403, 99, code="AuthorizationFailure"))
    with pytest.raises(NotLoggedIn, match="uploading to datastore"):
        on_azure.data.create(name="digits", path=folder)
    assert on_azure.data.list() == []
    cloud.faults.clear()
    there = {name for _, name in cloud.store.blobs}
    cloud.log.clear()
    on_azure.data.create(name="digits", path=folder)
    put = {path for method, path in cloud.log if method == "PUT" and ".blob." in path}
    assert len(put) == 4 - len(there)
    assert any(path.endswith("2.csv") for path in put)


def test_code_that_cannot_be_sent_starts_no_job(on_azure, cloud, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("1")
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: python train.py\ncode: ./src\ncompute: azureml:cpu\n"
        "environment: azureml:e:1\n"
    )
    cloud.faults.append(Fault("train.py", 403, 99))
    with pytest.raises(NotLoggedIn):
        on_azure.jobs.submit(tmp_path / "job.yml")
    assert not [key for key in cloud.store.resources if key.startswith(("/jobs/", "/codes/"))]


def test_somebody_who_was_faster_makes_the_version_one_more(on_azure, cloud, folder):
    create = on_azure.backend.assets._create_version
    taken = []

    def beaten(draft, spec, version):
        if not taken:
            taken.append(version)
            raise Conflict("somebody was faster")
        return create(draft, spec, version)

    on_azure.backend.assets._create_version = beaten
    assert on_azure.data.create(name="digits", path=folder).version == "1"
    assert taken == ["1"]


def test_an_operation_that_fails_later_is_told_with_its_reason(on_azure, cloud):
    cloud.store.operations["operation-put"] = [
        {"status": "InProgress"},
        {"status": "Failed", "error": {"code": "QuotaExceeded", "message": "no cores are left"}},
    ]
    with pytest.raises(AmlkitError, match="compute `cpu`: no cores are left"):
        on_azure.computes.create({"type": "amlcompute", "name": "cpu", "size": "S"})
