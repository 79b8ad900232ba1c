"""Generates the CSV files that people really send, seed by seed."""

import random

HEADERS = ("Name", "Phone", "Email", "Source", "Score", "Tags", "Created At", "Notes", "Company", "k")
GOOD = {
    "Name": ["Dana Levi", "דוד כהן", "Zoé  Martin", "O'Brien, Pat", "अमित", '"Max" Müller', " Noa "],
    "Phone": ["+33612345678", "06 12 34 56 78", "0033612345678", "+972 50-123-4567", "660-485-0224", "٠٦١٢٣٤٥٦٧٨"],
    "Email": ["dana@example.com", "D.Levi+x@Example.co.il", "zoé@exämple.fr", ""],
    "Source": ["web", "WALK_IN", "Walk-in", "Phone", " referral "],
    "Score": ["85", "85.0", "1e2", " 70 ", "0", ""],
    "Tags": ["vip", "vip;new", "a, b", '"a;b"; c', ""],
    "Created At": ["2024-01-15", "2024-01-15 14:30:22", "15 Apr, 2021 00:03:00", "2024-01-15T14:30:22+02:00", ""],
    "Notes": ["", "one\ntwo", "tab\there", "back\\slash", "\\N", "'=x", "=1+1", "a\r\nb", "a\rb", "***"],
    "Company": ["Acme", "New Corp", " new  corp", ""],
    "k": ["", "x", '{"a": 1}', "\u200b", "\u2028"],
}
BAD = {
    "Phone": ["", "pager", "3.36E+10", "***5678", "25-989-741-2988", "9" * 70],
    "Email": ["nope", "a@b", "Dana <dana@example.com>", "x" * 330],
    "Source": ["Facebook", "refferal", "", "***"],
    "Score": ["101", "-1", "NaN", "abc", "85.5", "9" * 50],
    "Created At": ["31/02/2021", "soon", "03/04/2021", "9999-99-99"],
    "Tags": ["x" * 1_001, ";".join(map(str, range(201)))],
    "Name": ["", "x" * 501, "***", "\0", "a\x07b", "\ufffd"],
}
STRAY = ['a"b', '"x"y', ' "z"', '"', "\\", '\\"', "\0", "\x0b", "\x1c", "\x85", "\ufeff", "'", "\t"]


def dirty_file(seed: int) -> bytes:
    """A file of up to 40 rows in a random dialect, more or less dirty."""
    draw = random.Random(seed)
    delimiter = draw.choice(",;\t|")
    end = draw.choice(["\n", "\n", "\r\n", "\r"])
    dirt = draw.choice([0, 0, 0.02, 0.2])
    headers = draw.sample(HEADERS, draw.randrange(2, len(HEADERS) + 1))
    lines = [delimiter.join(headers)]
    for _ in range(draw.randrange(40)):
        lines.append(delimiter.join(_cell(draw, header, delimiter, dirt) for header in _ragged(draw, headers, dirt)))
        if draw.random() < dirt / 2:
            lines.append("")
    text = end.join(lines) + draw.choice([end, "", end * 2])
    if draw.random() < dirt:
        text = text[: draw.randrange(len(text) + 1)]
    return _encoded(draw, text)


def _encoded(draw: random.Random, text: str) -> bytes:
    kind = draw.random()
    if kind < 0.1:
        return text.encode("utf-8-sig")
    if kind < 0.2:
        return text.encode("utf-16")
    if kind < 0.3:
        return text.encode("cp1252", "replace")
    return text.encode()


def _ragged(draw: random.Random, headers: list[str], dirt: float) -> list[str]:
    if draw.random() > dirt:
        return headers
    return headers[: draw.randrange(len(headers) + 1)] + ["k"] * draw.randrange(3)


def _cell(draw: random.Random, header: str, delimiter: str, dirt: float) -> str:
    if draw.random() < dirt:
        return draw.choice(STRAY)
    text = draw.choice(BAD.get(header, GOOD[header]) if draw.random() < 0.1 else GOOD[header])
    if draw.random() < 0.3 or any(character in text for character in (delimiter, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


def damaged(data: bytes, seed: int) -> bytes:
    """The file with some bytes changed, lost, added or repeated."""
    draw = random.Random(seed)
    changed = bytearray(data)
    for _ in range(draw.randrange(8)):
        place = draw.randrange(len(changed) + 1)
        length = draw.randrange(1, 50)
        match draw.randrange(4):
            case 0:
                changed[place : place + 1] = draw.randbytes(1)
            case 1:
                del changed[place : place + length]
            case 2:
                changed[place:place] = draw.randbytes(length)
            case _:
                changed[place:place] = changed[place : place + 4 * length]
    return bytes(changed)
