"""The formula guard of exported text: one apostrophe before what a spreadsheet would take for a formula.

A text is guarded where blanks, apostrophes and quotes are followed by `=`, `+`, `-`, `@`, TAB, CR or a full-width form
(OWASP, CSV injection). The patterns read the same in Python and in PostgreSQL's regular expressions.
"""

import re
from typing import Final

_BLANKS: Final = " \n\v\f\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u3000\ufeff"
GUARDED: Final = f"^[{_BLANKS}'\"]*[=+\\-@\t\r＝＋－＠]"
"""What begins like a formula."""
PLAIN_NUMBER: Final = r"^[+\-]?[0-9]+([.,][0-9]+)?$"
"""A number, which is no danger; a phone in E.164 is one, too."""
PLAIN_PHONE: Final = r"^\+[0-9][0-9 ().\-]{5,29}$"
"""A phone in its reading form; looked for in phone columns alone."""
_FIRST: Final = " \n\v\f\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff'\"=+-@\t\r＝＋－＠"
FIRST_CHARACTERS: Final = tuple(sorted({*map(ord, _FIRST), *range(0x2000, 0x200E)}))
"""The code points that a guarded text can begin with: the cheap test before the pattern."""
GUARD: Final = "'"

_GUARDED: Final = re.compile(GUARDED.removeprefix("^"))
_NUMBER: Final = re.compile(PLAIN_NUMBER)
_PHONE: Final = re.compile(PLAIN_PHONE)


def guard(text: str, *, phone: bool = False) -> str:
    """The text as a file holds it; `phone`: the column is one of phones."""
    if not _GUARDED.match(text) or _NUMBER.fullmatch(text) or (phone and _PHONE.fullmatch(text)):
        return text
    return GUARD + text


def strip_guard(text: str) -> str:
    """The text without the apostrophe that `guard` added: `strip_guard(guard(x)) == x` for every x."""
    return text[1:] if text.startswith(GUARD) and _GUARDED.match(text, 1) else text
