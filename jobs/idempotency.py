"""Idempotency keys: what was asked under one, and the answer that the same input is given again."""

import hashlib
from typing import TypeVar

import msgspec

from db.connections import Connection
from db.idempotency import remembered
from domain.errors import Problem, Rejected
from domain.stored import decode
from domain.vocabulary import UserErrorCode

__all__ = ["earlier_answer", "input_hash", "key_reused"]

Answer = TypeVar("Answer")


def input_hash(asked: object) -> str:
    """SHA-256 in hexadecimal of what was asked, given as JSON; the order of an object's keys makes no difference."""
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def key_reused() -> Rejected:
    """A Rejected for a key that stands for another input."""
    message = "This idempotency key was used for another input."
    return Rejected(Problem(UserErrorCode.IDEMPOTENCY_MISMATCH, message, ("input", "idempotencyKey")))


async def earlier_answer(
    connection: Connection, operation: str, key: str | None, digest: str, kind: type[Answer]
) -> Answer | None:
    """What the same input was answered under the key; None without a key, or for a fresh one.

    The caller holds a lock under which keys are written. Raises Rejected (IDEMPOTENCY_MISMATCH).
    """
    found = None if key is None else await remembered(connection, operation, key)
    if found is None:
        return None
    if found.input_hash != digest:
        raise key_reused()
    return decode(kind, found.response)
