"""Time zones by their IANA names."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LONGEST = 64
_OF_THIS_MACHINE = ("localtime", "posixrules", "posix/", "right/")
"""Files beside the zones, which systems have or lack and PostgreSQL does not know."""


def is_zone(name: str) -> bool:
    """Whether the tz database has a zone of this name, such as `Europe/Paris`."""
    if not 0 < len(name) <= _LONGEST or not name[0].isalpha() or name.startswith(_OF_THIS_MACHINE):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
