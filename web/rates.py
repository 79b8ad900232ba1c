"""How much a caller may ask for in a minute: counted in the cost of operations, by credential and by organization.

Counted in each process by itself.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

__all__ = ["RateLimits", "Rates", "TooManyRequests"]

_MINUTE: Final = 60
_KEPT: Final = 50_000


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Cost in one minute; an operation costs its fields times the rows that they are read for, and at least `least`.

    `anonymous` is by network address, as is `failures`: credentials that were refused.
    """

    credential: int = 10_000_000
    organization: int = 30_000_000
    anonymous: int = 200_000
    failures: int = 600
    least: int = 20


class TooManyRequests(Exception):
    """A limit was passed; answered with 429 and Retry-After. `seconds` until there is room again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too much was asked for in this minute; come back in {seconds} seconds.")
        self.seconds = seconds


class _Minutes:
    """What was asked for by each caller in a minute, which begins with the first request; so many callers are known."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counted: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, caller: str, cost: int) -> None:
        """Raises TooManyRequests; what is refused counts as well."""
        now = time.monotonic()
        end, counted = self._counted.get(caller, (0.0, 0))
        if end <= now:
            end, counted = now + _MINUTE, 0
            self._counted.pop(caller, None)
        self._counted[caller] = (end, counted + cost)
        if len(self._counted) > _KEPT:
            self._counted.popitem(last=False)
        if counted + cost > self._limit:
            raise TooManyRequests(max(1, round(end - now)))

    def check(self, caller: str) -> None:
        """Raises TooManyRequests where there is no room for anything more."""
        now = time.monotonic()
        end, counted = self._counted.get(caller, (0.0, 0))
        if end > now and counted >= self._limit:
            raise TooManyRequests(max(1, round(end - now)))


class Rates:
    """Counts what callers ask for. Every method raises TooManyRequests."""

    def __init__(self, limits: RateLimits) -> None:
        self._least = limits.least
        self._credential = _Minutes(limits.credential)
        self._organization = _Minutes(limits.organization)
        self._anonymous = _Minutes(limits.anonymous)
        self._failures = _Minutes(limits.failures)

    def count(self, credential: str, organization: str, cost: int) -> None:
        """An operation of a caller."""
        self._credential.count(credential, max(cost, self._least))
        self._organization.count(organization, max(cost, self._least))

    def count_anonymous(self, address: str, cost: int) -> None:
        """An operation of somebody without a credential."""
        self._anonymous.count(address, max(cost, self._least))

    def count_failure(self, address: str) -> None:
        """A credential that was refused."""
        self._failures.count(address, 1)

    def check_failures(self, address: str) -> None:
        """Before a credential is looked at."""
        self._failures.check(address)
