"""Keeping an undo from making doubles: a phone that another lead has by now is not given back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from domain.json import JsonObject
from domain.lead_restore import Restoration
from domain.vocabulary import CLOSED_STAGES

__all__ = ["Restored", "keep_single", "wanted_phones"]

_PHONE_KEY, _STAGE = "phone_key", "stage"
_PHONE: Final = frozenset({"phone", "phone_display", _PHONE_KEY})
_STATUS: Final = frozenset({"status_id", _STAGE})


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


def wanted_phones(restored: Collection[Restored], *, active_only: bool) -> set[str]:
    """The keys of all phones that `keep_single` may ask for."""
    wanted = [one for one in restored if one.is_new(active_only=active_only)]
    phones = [columns.get(_PHONE_KEY) for one in wanted for columns in (one.now, one.found.columns)]
    return {str(phone) for phone in phones if phone is not None}


def keep_single(restored: Sequence[Restored], taken: Collection[str], *, active_only: bool) -> None:
    """Give up what would make a lead the double of another: of one with a phone in `taken`, or of one in `restored`.

    Of several that would get one phone the first gets it. `active_only`: closed leads double none.
    """
    phones = _Phones(taken, active_only=active_only)
    for one in restored:
        if not one.is_new(active_only=active_only):
            phones.hold(one)
    for one in restored:
        if one.is_new(active_only=active_only):
            phones.give(one)


class _Phones:
    """Who has which phone. A lead that cannot get its own keeps that which another one was to get, and so on."""

    def __init__(self, taken: Collection[str], *, active_only: bool) -> None:
        self._held = set(taken)
        self._given = dict[str, Restored]()
        self._active_only = active_only

    def hold(self, one: Restored) -> Restored | None:
        """The lead keeps its phone; returns whom it was given to, who gives it up."""
        phone = one.phone(active_only=self._active_only)
        if phone is None:
            return None
        self._held.add(phone)
        loser = self._given.pop(phone, None)
        if loser is not None:
            loser.give_up()
        return loser

    def give(self, one: Restored | None) -> None:
        """Give the lead the phone that it wants, or take back what is restored of it."""
        while one is not None:
            phone = one.phone(active_only=self._active_only)
            if phone is None or not one.is_new(active_only=self._active_only):
                one = self.hold(one)
            elif phone in self._held or phone in self._given:
                one.give_up()
            else:
                self._given[phone] = one
                return


def _phone(columns: JsonObject, *, active_only: bool) -> str | None:
    phone = columns.get(_PHONE_KEY)
    return None if phone is None or (active_only and columns.get(_STAGE) in CLOSED_STAGES) else str(phone)
