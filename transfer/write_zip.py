"""ZIP archives written from front to back (APPNOTE 6.3.10): sizes follow each member, nothing is kept or sought.

Deflate is ISA-L's. A member over 4 GiB must be announced as large (ZIP64); small ones do without, as Excel demands.
"""

import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from isal import isal_zlib

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64: Final = struct.Struct("<4sLQL")
_FLAGS: Final = 0x0808  # sizes follow the data; names are UTF-8
_DEFLATED: Final = 8
_PLAIN_VERSION: Final = 20
_LARGE_VERSION: Final = 45
_LIMIT: Final = 0xFFFFFFFF
_MOST_MEMBERS: Final = 0xFFFF
_RAW: Final = -15


@dataclass(slots=True)
class _Member:
    name: bytes
    offset: int
    large: bool
    crc: int = 0
    size: int = 0
    packed: int = 0


class ZipWriter:
    """Turns members into the bytes of an archive: `open`, any number of `feed`, `close`; `finish` at the end.

    `moment` dates every member. Raises OverflowError where a member that was not announced as large passes 4 GiB.
    """

    def __init__(self, moment: datetime) -> None:
        self._day = max(moment.year - 1980, 0) << 9 | moment.month << 5 | moment.day
        self._time = moment.hour << 11 | moment.minute << 5 | moment.second // 2
        self._members: list[_Member] = []
        self._written = 0
        self._deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _RAW)

    def open(self, name: str, *, large: bool = False) -> bytes:
        """Begin a member."""
        member = _Member(name.encode(), self._written, large)
        self._members.append(member)
        self._deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, _RAW)
        extra = struct.pack("<2H2Q", 1, 16, 0, 0) if large else b""
        size = _LIMIT if large else 0
        version = _LARGE_VERSION if large else _PLAIN_VERSION
        header = _LOCAL.pack(
            b"PK\3\4", version, _FLAGS, _DEFLATED, self._time, self._day, 0, size, size, len(member.name), len(extra)
        )
        return self._counted(header + member.name + extra)

    def feed(self, data: bytes) -> bytes:
        """Add to the member."""
        member = self._members[-1]
        member.crc = isal_zlib.crc32(data, member.crc)
        member.size += len(data)
        return self._packed(self._deflate.compress(data))

    def close(self) -> bytes:
        """End the member."""
        tail = self._packed(self._deflate.flush())
        member = self._members[-1]
        if not member.large and max(member.size, member.packed) > _LIMIT:
            raise OverflowError("a member of a ZIP archive has passed 4 GiB")
        form = "<4sL2Q" if member.large else "<4s3L"
        return tail + self._counted(struct.pack(form, b"PK\7\10", member.crc, member.packed, member.size))

    def write(self, name: str, data: bytes) -> bytes:
        """A whole member at once."""
        return self.open(name) + self.feed(data) + self.close()

    def finish(self) -> bytes:
        """The directory of the archive."""
        start = self._written
        entries = b"".join(self._entry(member) for member in self._members)
        count = len(self._members)
        tail = b""
        if start + len(entries) > _LIMIT or count >= _MOST_MEMBERS:
            version = _LARGE_VERSION
            tail = _END_64.pack(b"PK\6\6", 44, version, version, 0, 0, count, count, len(entries), start)
            tail += _LOCATOR_64.pack(b"PK\6\7", 0, start + len(entries), 1)
        shown = min(count, _MOST_MEMBERS)
        end = _END.pack(b"PK\5\6", 0, 0, shown, shown, min(len(entries), _LIMIT), min(start, _LIMIT), 0)
        return self._counted(entries + tail + end)

    def _entry(self, member: _Member) -> bytes:
        wide = member.large or member.offset > _LIMIT
        extra = struct.pack("<2H3Q", 1, 24, member.size, member.packed, member.offset) if wide else b""
        packed, size, offset = (_LIMIT,) * 3 if wide else (member.packed, member.size, member.offset)
        version = _LARGE_VERSION if wide else _PLAIN_VERSION
        header = _CENTRAL.pack(
            b"PK\1\2",
            version,
            version,
            _FLAGS,
            _DEFLATED,
            self._time,
            self._day,
            member.crc,
            packed,
            size,
            len(member.name),
            len(extra),
            0,
            0,
            0,
            0,
            offset,
        )
        return header + member.name + extra

    def _packed(self, data: bytes) -> bytes:
        self._members[-1].packed += len(data)
        return self._counted(data)

    def _counted(self, data: bytes) -> bytes:
        self._written += len(data)
        return data
