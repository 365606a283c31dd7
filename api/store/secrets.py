"""Tokens and one-time secrets. They are random, 256 bits, so a plain hash is enough to keep of them."""

import hashlib
import secrets

__all__ = ["INVITATION", "TOKEN", "hashed", "new_secret"]

TOKEN, INVITATION = "tct_", "tci_"
"""How each begins, so that people and scanners for leaked secrets know them."""


def new_secret(prefix: str) -> str:
    """Return a new random secret."""
    return prefix + secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """Return what the database keeps of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
