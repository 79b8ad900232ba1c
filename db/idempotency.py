"""Answers that are given again: by operation and key, within an organization."""

from dataclasses import dataclass
from datetime import datetime

from db.connections import Connection
from db.system import SystemDatabase
from domain.json import JsonObject

__all__ = ["RememberedAnswer", "forget_answers", "remember_answer", "remembered"]


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """What was asked, as a hash, and what was answered."""

    input_hash: str
    response: JsonObject


async def remembered(connection: Connection, operation: str, key: str) -> RememberedAnswer | None:
    """What this key was answered before; the caller holds a lock under which keys are written."""
    row = await connection.fetchrow(
        "select input_hash, response from idempotency_keys where operation = $1 and key = $2", operation, key
    )
    return None if row is None else RememberedAnswer(row["input_hash"], row["response"])


async def remember_answer(
    connection: Connection, operation: str, key: str, input_hash: str, response: JsonObject
) -> None:
    """Keep an answer with the transaction that makes it true."""
    await connection.execute(
        "insert into idempotency_keys (operation, key, input_hash, response) values ($1, $2, $3, $4)",
        operation,
        key,
        input_hash,
        response,
    )


async def forget_answers(system: SystemDatabase, before: datetime) -> None:
    """Delete the answers given before a moment: their keys are free again."""
    await system.execute("delete from store.idempotency_keys where created_at < $1", before)
