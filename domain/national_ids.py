"""National ids at rest: sealed, and bound to their lead, so that a sealed text means nothing in another row."""

from typing import Final
from uuid import UUID

from domain.keyring import Keyring, Unsealable

VISIBLE_DIGITS: Final = 4
_PURPOSE: Final = "national id"


class NationalIds:
    """Seals and opens national ids; `lead_id` is the lead's UUID as text."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, plain: str, lead_id: str) -> str:
        """What `leads.national_id_cipher` holds."""
        return self._keyring.seal(_PURPOSE, plain.encode(), UUID(lead_id).bytes)

    def open(self, sealed: str, lead_id: str) -> str | None:
        """What was sealed, None where it is damaged, of another lead, or its key is gone."""
        try:
            return self._keyring.open(_PURPOSE, sealed, UUID(lead_id).bytes).decode()
        except Unsealable:
            return None


def last_digits(plain: str) -> str:
    """What masks may show of it: `leads.national_id_last4`; nothing of one so short that this were half of it."""
    return plain[-VISIBLE_DIGITS:] if len(plain) >= 2 * VISIBLE_DIGITS else ""
