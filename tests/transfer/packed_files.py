"""Archives and workbooks for tests."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

import openpyxl


def zipped(entries: Mapping[str, bytes]) -> bytes:
    """A ZIP archive with these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def workbook(rows: Sequence[Sequence[object]], fill: Callable[[openpyxl.Workbook], object] | None = None) -> bytes:
    """A workbook with these rows on its first sheet, and whatever `fill` adds."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    if fill is not None:
        fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def altered(book: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The archive with each part replaced by what `change` makes of it; None leaves it out."""
    source = zipfile.ZipFile(io.BytesIO(book))
    parts = {name: change(name, source.read(name)) for name in source.namelist()}
    return zipped({name: data for name, data in parts.items() if data is not None})
