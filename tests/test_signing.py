"""Signed heads: anybody can check them, and the key that signs is never shown."""

from __future__ import annotations

import base64
import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from service.core.errors import SettingsError
from service.core.ledger import Head
from service.settings import Settings, load
from service.signing import SignedHead, Signer
from tests.store.samples import NOW

SEED = bytes(range(32))
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(SEED)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
HEAD = Head(42, "ab" * 32)
README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")


def pem_of(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> str:
    hidden = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden).decode()


@pytest.mark.parametrize(
    "written",
    [
        PEM,
        f"\n  {PEM}\n\n",
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\r\n"),
        base64.b64encode(SEED).decode(),
        "A" * 43 + "=\n",
    ],
    ids=["PEM", "PEM with blanks", "PEM on one line", "PEM from Windows", "a seed", "another seed"],
)
def test_a_key_is_taken_as_people_write_it(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVERNOR_AUDIT_SIGNING_KEY", written)
    signer = load(None).signer
    assert signer is not None
    assert (signer.key_id == Signer(KEY).key_id) is not written.startswith("AAAA")


BAD = {
    "nothing": "",
    "a word": "hunter2",
    "too short a seed": base64.b64encode(SEED[:31]).decode(),
    "a seed in hex": SEED.hex(),
    "no base64": "_" * 44,
    "no text": "é" * 44,
    "half a key": PEM[:80],
    "a key behind a password": pem_of(KEY, b"hunter2"),
    "an RSA key": pem_of(rsa.generate_private_key(65537, 2048)),
    "the public half": KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    "a file's name": "/run/secrets/key.pem",
}


@pytest.mark.parametrize("written", BAD.values(), ids=BAD)
def test_a_key_that_is_none_is_refused_with_what_to_write_and_without_itself(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVERNOR_AUDIT_SIGNING_KEY", written)
    with pytest.raises(SettingsError, match=r"^GOVERNOR_AUDIT_SIGNING_KEY: .*openssl genpkey -algorithm ed25519") as caught:
        load(None)
    assert not written or not any(line in str(caught.value) for line in written.splitlines())


def test_without_a_key_nobody_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOVERNOR_AUDIT_SIGNING_KEY", raising=False)
    assert load(None).signer is None


def test_the_private_key_shows_nowhere() -> None:
    settings = Settings(audit_signing_key=PEM, _env_file=None)
    assert settings.signer is not None
    signed = settings.signer.sign("harbour-physio", HEAD, NOW)
    shown = f"{settings} {settings!r} {settings.signer} {settings.signer!r} {signed!r} {settings.model_dump_json()}"
    private = PEM.splitlines()[1]
    assert private not in shown
    assert base64.b64encode(SEED).decode() not in shown
    assert not hasattr(settings.signer, "__dict__")


def test_what_is_signed_is_the_canonical_text_of_a_head_at_an_instant() -> None:
    signed = Signer(KEY).sign("harbour-physio", HEAD, NOW)
    assert signed.text == f'{{"at":"2026-11-22T08:00:00Z","chain":"harbour-physio","hash":"{"ab" * 32}","seq":42}}'
    public = load_pem_public_key(signed.public_key.encode())
    assert isinstance(public, ed25519.Ed25519PublicKey)
    public.verify(base64.b64decode(signed.signature), signed.text.encode())
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signed.signature), signed.text.replace("42", "43").encode())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_checks_a_signature_and_tells_the_key_by_its_id(tmp_path: Path) -> None:
    signed = Signer(KEY).sign("harbour-physio", HEAD, NOW)
    assert verified(signed, tmp_path) == 0
    forged = SignedHead(signed.text.replace("42", "41"), signed.signature, signed.public_key, signed.key_id)
    assert verified(forged, tmp_path) != 0
    command = ["openssl", "pkey", "-pubin", "-in", "governor.pem", "-outform", "DER"]
    der = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout  # noqa: S603 - our own files
    digest = subprocess.run(["openssl", "sha256"], input=der, capture_output=True, check=True).stdout.split()[-1]  # noqa: S607 - the system's
    assert digest.decode().startswith(signed.key_id)


def verified(signed: SignedHead, folder: Path) -> int:
    """The exit status of the command that the README shows."""
    (folder / "head.txt").write_text(signed.text)
    (folder / "head.sig").write_bytes(base64.b64decode(signed.signature))
    (folder / "governor.pem").write_text(signed.public_key)
    command = shlex.split(next(line for line in README.splitlines() if line.startswith("openssl pkeyutl")))
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode  # noqa: S603 - our own files


def test_the_text_that_is_signed_is_what_the_verifier_is_told_with_head() -> None:
    said = json.loads(Signer(KEY).sign("harbour-physio", HEAD, NOW).text)
    assert f"{said['chain']}={said['seq']}:{said['hash']}" == f"harbour-physio=42:{'ab' * 32}"
