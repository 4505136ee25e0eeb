"""Signed heads: what an agency keeps to prove later that a chain was rewritten.

A head is signed as a canonical text, which says when, with an Ed25519 key that the service alone has. `openssl` checks it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from service.core.canonical import canonical
from service.core.ledger import Head

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ADVICE = "write the PEM text that `openssl genpkey -algorithm ed25519` prints, or the key's 32 bytes in base64"
SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head as it was signed: `text` in UTF-8 is what the Ed25519 `signature` (base64) is of; `public_key` is PEM.

    `key_id` is the beginning of the SHA-256, in hex, of the public key in DER form.
    """

    text: str
    signature: str
    public_key: str
    key_id: str


class Signer:
    """Signs heads with one key; says its public half, and never the other."""

    __slots__ = ("_key", "key_id", "public_key")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 - needed with a key only

        public = key.public_key()
        self._key = key
        self.public_key = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.key_id = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]

    @classmethod
    def of(cls, written: str) -> Signer:
        """The signer with a key as it is written in the settings; ValueError says what to write, and never what was written."""
        key = _pem(written) if "-----BEGIN" in written else _seed(written)
        if key is None:
            raise ValueError(ADVICE)
        return cls(key)

    def sign(self, chain: str, head: Head, at: datetime) -> SignedHead:
        """A head as it was at an instant, signed."""
        text = canonical({"at": at, "chain": chain, "hash": head.hash, "seq": head.seq})
        signature = base64.b64encode(self._key.sign(text.encode())).decode()
        return SignedHead(text, signature, self.public_key, self.key_id)


def _pem(written: str) -> Ed25519PrivateKey | None:
    """The key in a PEM text; its line ends may be written as a backslash and an n, where a setting is one line."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - needed with a key only
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - likewise
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - likewise

    try:
        key = load_pem_private_key(written.replace("\\n", "\n").strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # none, a broken one, or one behind a password
        return None
    return key if isinstance(key, Ed25519PrivateKey) else None


def _seed(written: str) -> Ed25519PrivateKey | None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - needed with a key only

    try:
        seed = base64.b64decode(written.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return Ed25519PrivateKey.from_private_bytes(seed) if len(seed) == SEED_BYTES else None
