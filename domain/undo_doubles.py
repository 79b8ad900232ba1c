"""Keeping an undo from making doubles: a phone that another lead has by now is not given back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from domain.json import JsonObject
from domain.lead_restore import Restoration

__all__ = ["Restored", "keep_single", "wanted_phones"]

_PHONE_KEY, _STAGE = "phone_key", "stage"
_PHONE: Final = frozenset({"phone", "phone_display", _PHONE_KEY})
_STATUS: Final = frozenset({"status_id", _STAGE})
_CLOSED: Final = frozenset({"WON", "LOST"})


@dataclass(frozen=True, slots=True)
class Restored:
    """A lead's columns as they are now, and what is to be written back."""

    now: JsonObject
    found: Restoration

    def phone(self, *, active_only: bool) -> str | None:
        """The key of the phone that others must not have as well, once this is written back."""
        return _phone({**self.now, **self.found.columns}, active_only=active_only)

    def is_new(self, *, active_only: bool) -> bool:
        """Whether it is only what is written back that lets the lead have that phone."""
        phone = self.phone(active_only=active_only)
        return phone is not None and phone != _phone(self.now, active_only=active_only)

    def give_up(self) -> None:
        """Keep the phone as it is now; where it is no other one, the status."""
        columns = self.found.columns
        rekeyed = columns.get(_PHONE_KEY, self.now.get(_PHONE_KEY)) != self.now.get(_PHONE_KEY)
        for name in _PHONE if rekeyed else _STATUS:
            columns.pop(name, None)
        self.found.kept = True


def wanted_phones(restored: Sequence[Restored], *, active_only: bool) -> set[str]:
    """The keys of all phones that `keep_single` may ask for."""
    wanted = [one for one in restored if one.is_new(active_only=active_only)]
    phones = [columns.get(_PHONE_KEY) for one in wanted for columns in (one.now, one.found.columns)]
    return {str(phone) for phone in phones if phone is not None}


def keep_single(restored: Sequence[Restored], taken: Collection[str], *, active_only: bool) -> None:
    """Give up what would make a lead the double of another: of one with a phone in `taken`, or of one in `restored`.

    Of several that would get one phone the first gets it. `active_only`: closed leads double none.
    """
    while doubles := _doubles(restored, taken, active_only=active_only):
        for one in doubles:
            one.give_up()


def _doubles(restored: Sequence[Restored], taken: Collection[str], *, active_only: bool) -> list[Restored]:
    phones = [one.phone(active_only=active_only) for one in restored]
    new = [one.is_new(active_only=active_only) for one in restored]
    had = {phone for phone, is_new in zip(phones, new, strict=True) if not is_new} | set(taken)
    doubles: list[Restored] = []
    for one, phone, is_new in zip(restored, phones, new, strict=True):
        if is_new and phone in had:
            doubles.append(one)
        had.add(phone)
    return doubles


def _phone(columns: JsonObject, *, active_only: bool) -> str | None:
    phone = columns.get(_PHONE_KEY)
    return None if phone is None or (active_only and columns.get(_STAGE) in _CLOSED) else str(phone)
