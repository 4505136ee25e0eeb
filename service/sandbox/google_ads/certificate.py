"""A throw-away TLS certificate for loopback, made with its key in a directory and used again from there.

grpcio reads its roots once, before a process's first TLS channel, so all servers that one process talks to have to share a
certificate. Does I/O.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

VALID = timedelta(days=30)
MARGIN = timedelta(days=1)


def certificate_in(directory: Path) -> tuple[Path, Path]:
    """The certificate (self-signed, for localhost and 127.0.0.1) and its key, made if missing or about to expire."""
    certificate, key = directory / "sandbox-cert.pem", directory / "sandbox-key.pem"
    if not (certificate.exists() and key.exists() and _still_valid(certificate)):
        directory.mkdir(parents=True, exist_ok=True)
        _make(certificate, key)
    return certificate, key


def private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """A private key as unencrypted PKCS 8: it protects nothing but a sandbox."""
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def _still_valid(certificate: Path) -> bool:
    ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    return ends > datetime.now(UTC) + MARGIN


def _make(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    places = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - MARGIN)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_private(key_file, private_pem(key))
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
