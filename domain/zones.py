"""Time zones by their IANA names."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LONGEST = 64


def is_zone(name: str) -> bool:
    """Whether the tz database has a zone of this name, such as `Europe/Paris`."""
    if not 0 < len(name) <= _LONGEST or not name[0].isalpha():
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
