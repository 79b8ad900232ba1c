"""How much a caller may ask for in a minute: counted in the cost of operations, by credential and by organization.

Counted in each process by itself.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from domain.actors import Actor

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


class _Counters(Storage):
    """Counters of one process, a bounded number of them; the ones of the library start a thread at each hit."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._counters: OrderedDict[str, tuple[float, int]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = time.time()
        end, count = self._counters.get(key, (0.0, 0))
        if end <= now:
            end, count = now + expiry, 0
            self._counters.pop(key, None)
        self._counters[key] = (end, count + amount)
        if len(self._counters) > _KEPT:
            self._counters.popitem(last=False)
        return count + amount

    def get(self, key: str) -> int:
        end, count = self._counters.get(key, (0.0, 0))
        return count if end > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counters.get(key, (time.time(), 0))[0]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        count = len(self._counters)
        self._counters.clear()
        return count

    def clear(self, key: str) -> None:
        self._counters.pop(key, None)


class Rates:
    """Counts what callers ask for. Every method raises TooManyRequests."""

    def __init__(self, limits: RateLimits) -> None:
        self._least = limits.least
        self._limiter = FixedWindowRateLimiter(_Counters())
        self._credential = RateLimitItemPerMinute(limits.credential, namespace="credential")
        self._organization = RateLimitItemPerMinute(limits.organization, namespace="organization")
        self._anonymous = RateLimitItemPerMinute(limits.anonymous, namespace="anonymous")
        self._failures = RateLimitItemPerMinute(limits.failures, namespace="failures")

    def count(self, actor: Actor | None, address: str | None, cost: int) -> None:
        """An operation of a caller; `actor` None: without a credential, known by the network address alone."""
        counted = max(cost, self._least)
        if actor is None:
            self._hit(self._anonymous, address or "", counted)
            return
        self._hit(self._credential, f"{actor.kind}:{actor.id}", counted)
        self._hit(self._organization, str(actor.organization_id), counted)

    def count_failure(self, address: str) -> None:
        """A credential that was refused."""
        self._hit(self._failures, address, 1)

    def check_failures(self, address: str) -> None:
        """Before a credential is looked at."""
        if not self._limiter.test(self._failures, address):
            raise self._too_many(self._failures, address)

    def _hit(self, item: RateLimitItemPerMinute, key: str, cost: int) -> None:
        if not self._limiter.hit(item, key, cost=cost):
            raise self._too_many(item, key)

    def _too_many(self, item: RateLimitItemPerMinute, key: str) -> TooManyRequests:
        ends = self._limiter.get_window_stats(item, key).reset_time
        return TooManyRequests(max(1, min(_MINUTE, round(ends - time.time()))))
