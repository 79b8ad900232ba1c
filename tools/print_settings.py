"""Writes the table of settings into the README, between its two markers."""

import sys
from pathlib import Path
from typing import Final

from settings import settings_table

README: Final = Path(__file__).parent.parent / "README.md"
BEGIN: Final = "<!-- generated from settings.py by `python -m tools.print_settings` -->"
END: Final = "<!-- end of the generated table -->"


def with_table(text: str) -> str:
    """The README's text with the table as the code has it. Raises ValueError where a marker lacks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the README lacks a marker of the settings' table")
    return f"{before}{begin}\n\n{settings_table()}\n\n{end}{after}"


def main() -> int:
    """0; the README is written."""
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
