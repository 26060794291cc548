"""Connections that break off, lie about their length, or come without a token."""

from __future__ import annotations

import socket

import pytest

STORE = "/amlkit.blob.core.localhost/azureml-blobstore-local"


@pytest.fixture
def connect(emulator):
    """Open a connection and send the head of a request, with a token unless told."""

    def begin(method, path, *headers, token=None):
        port = int(emulator.url.rsplit(":", 1)[1])
        plain = socket.create_connection(("127.0.0.1", port), timeout=30)
        secured = emulator.tls.wrap_socket(plain, server_hostname="localhost")
        bearer = emulator.token if token is None else token
        lines = (f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {bearer}")
        secured.sendall("\r\n".join((*lines, *headers, "", "")).encode("latin-1"))
        return secured

    return begin


def break_off(connection):
    """Send nothing more, and wait until the server has let go as well."""
    with connection:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def answer(connection):
    """Return the first line of the answer to a request that is complete."""
    with connection, connection.makefile("rb") as stream:
        return stream.readline()


def test_an_upload_that_breaks_off_is_not_stored_and_can_be_repeated(emulator, connect):
    for headers, sent in (
        (("Content-Length: 100000",), b"a" * 50_000),
        (("Transfer-Encoding: chunked",), b"186a0\r\n" + b"a" * 50_000),
        (("Transfer-Encoding: chunked",), b"5\r\nhello\r\n"),
    ):
        connection = connect("PUT", f"{STORE}/big", "If-None-Match: *", *headers)
        connection.sendall(sent)

        break_off(connection)

        assert emulator.ask("HEAD", f"{STORE}/big")[0] == 404
    whole = {"If-None-Match": "*"}
    assert emulator.ask("PUT", f"{STORE}/big", raw=b"a" * 100_000, headers=whole)[0] == 201


def test_chunks_are_put_together(emulator, connect):
    connection = connect("PUT", f"{STORE}/chunked", "Transfer-Encoding: chunked")
    connection.sendall(b"5\r\nhello\r\na;x=y\r\n, and more\r\n0\r\nTrailer: x\r\n\r\n")

    assert b" 201 " in answer(connection)
    assert emulator.ask("GET", f"{STORE}/chunked")[1] == b"hello, and more"


def test_a_length_that_is_no_number_is_refused(connect):
    for length in ("\u00b2", "-1", "+1", "1_0", "x"):
        connection = connect("PUT", f"{STORE}/x", f"Content-Length: {length}")

        assert b" 400 " in answer(connection), length
    for size in (b"-1", b"+1", b"1_0", b"0x1", b"x", b""):
        connection = connect("PUT", f"{STORE}/x", "Transfer-Encoding: chunked")
        connection.sendall(size + b"\r\na\r\n0\r\n\r\n")

        assert b" 400 " in answer(connection), size


def test_whoever_has_no_token_is_refused_before_the_body_is_read(connect):
    arm = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices"
    for path, status in ((f"{STORE}/x", b" 403 "), (f"{arm}/workspaces/w/data/d", b" 401 ")):
        for length in ("Content-Length: 200000000", "Transfer-Encoding: chunked"):
            assert status in answer(connect("PUT", path, length, token="")), (path, length)


def test_whoever_is_refused_while_sending_gets_the_answer(emulator):
    other = {"Authorization": "Bearer x"}
    status, body, _ = emulator.ask("PUT", f"{STORE}/x", raw=b"x" * 5_000_000, headers=other)

    assert (status, b"AuthenticationFailed" in body) == (403, True)
