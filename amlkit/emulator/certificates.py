"""A CA and a certificate for loopback, made at start; their keys never leave the process's use."""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from amlkit.emulator.state import write_private
from amlkit.errors import NotSupported

DAYS = 30


def server_context(bundle: Path) -> ssl.SSLContext:
    """Return what the server needs, and write what its clients trust to `bundle`.

    Raises: NotSupported: the extra that makes certificates is missing.
    """
    try:
        ca, leaf, key = _make()
    except ModuleNotFoundError as missing:
        raise NotSupported(
            f"the emulator needs `{missing.name}`", hint="pip install 'amlkit[emulator]'"
        ) from None
    write_private(bundle, ca + _trusted())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as scratch:
        # `ssl` reads keys from files alone; this one is gone before the first connection.
        path = Path(scratch) / "leaf.pem"
        write_private(path, leaf + key)
        context.load_cert_chain(path)
    return context


def _trusted() -> bytes:
    """Return the roots that were trusted before: other HTTPS still works with our bundle."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        given = os.environ.get(name)
        if given and Path(given).is_file() and "emulator" not in Path(given).parts:
            return Path(given).read_bytes()
    try:
        import certifi
    except ModuleNotFoundError:
        default = ssl.get_default_verify_paths().cafile
        return Path(default).read_bytes() if default else b""
    return Path(certifi.where()).read_bytes()


def _make() -> tuple[bytes, bytes, bytes]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def named(text: str) -> Any:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def builder(subject: str, public: Any) -> Any:
        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named("amlkit emulator CA"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=DAYS))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
                critical=False,
            )
        )

    ca = (
        builder("amlkit emulator CA", ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False
        )
        .add_extension(_signs_certificates(x509), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    places = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        builder("localhost", key.public_key())
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ca.public_bytes(encoding), leaf.public_bytes(encoding), private


def _signs_certificates(x509: Any) -> Any:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    off = dict.fromkeys((*names, "key_agreement", "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **off)
