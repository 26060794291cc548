"""The table from what Azure raises to what amlkit raises: complete, short, with the right exit code."""

from __future__ import annotations

import inspect
import json

import pytest

core = pytest.importorskip("azure.core.exceptions")
pytest.importorskip("azure.ai.ml")

import azure.ai.ml.exceptions as ml_exceptions
import azure.core.exceptions as core_exceptions
import azure.identity
from azure.core.rest import HttpRequest
from azure.mgmt.core.exceptions import ARMErrorFormat

from amlkit.azure.errors import TABLE, one_line, translated, translation
from amlkit.errors import AmlkitError, Conflict, NotFound, NotLoggedIn


def public_exceptions():
    for module in (core_exceptions, ml_exceptions, azure.identity):
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception) and not name.startswith("_"):
                yield name


@pytest.mark.parametrize("name", sorted(set(public_exceptions())))
def test_every_public_exception_of_the_sdks_is_in_the_table(name):
    assert name in TABLE, f"say in amlkit/azure/errors.py what `{name}` means to a user"


class Answer:
    """An answer as the pipeline hands it on."""

    def __init__(self, status, body, headers=None):
        self.status_code = status
        self.reason = "reason"
        self.headers = {"x-ms-request-id": "r-1", **(headers or {})}
        self.request = HttpRequest("GET", "https://example/")
        self._text = json.dumps(body)
        self.content_type = "application/json"

    def text(self):
        return self._text

    def body(self):
        return self._text.encode()


def raised(status, code="Code", message="what it says"):
    answer = Answer(status, {"error": {"code": code, "message": message}})
    with pytest.raises(AmlkitError) as caught, translated("data `digits`"):
        raise core_exceptions.HttpResponseError(response=answer, error_format=ARMErrorFormat)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "exit_code"),
    [
        (400, AmlkitError, 1),
        (401, NotLoggedIn, 4),
        (403, NotLoggedIn, 4),
        (404, NotFound, 3),
        (409, Conflict, 6),
        (412, Conflict, 6),
        (429, AmlkitError, 1),
        (500, AmlkitError, 1),
        (503, AmlkitError, 1),
    ],
)
def test_an_answer_of_azure_has_its_exit_code_its_code_and_its_request(status, kind, exit_code):
    error = raised(status)
    assert type(error) is kind
    assert error.exit_code == exit_code
    assert error.message == "data `digits`: what it says (Code, request r-1)"


def test_what_an_sdk_says_over_many_lines_becomes_one():
    told = "\x1b[31m(UserError) it is wrong\nCode: UserError\nMessage: it is wrong\x1b[39m"
    assert one_line(told) == "it is wrong"
    assert len(one_line("x" * 10_000)) == 500


def test_the_signature_of_a_signed_address_is_never_told():
    told = one_line("Max retries exceeded with url: /c/b?sv=1&sig=c2VjcmV0%3D&se=2 (Caused by x)")
    assert told == "Max retries exceeded with url: /c/b?sv=1&sig=...&se=2 (Caused by x)"


def test_what_is_not_azures_is_let_through():
    assert translation(KeyError) is None
    with pytest.raises(KeyError), translated("data `digits`"):
        raise KeyError("a bug")


def test_an_error_of_amlkits_own_is_not_translated_again():
    with pytest.raises(NotFound, match="mine"), translated("data `digits`"):
        raise NotFound("mine")


def test_an_untrusted_certificate_is_told_from_a_dead_network():
    with pytest.raises(AmlkitError) as caught, translated("cloud"):
        raise core_exceptions.ServiceRequestError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    with pytest.raises(AmlkitError, match="cannot be reached"), translated("cloud"):
        raise core_exceptions.ServiceRequestError("Connection refused")
