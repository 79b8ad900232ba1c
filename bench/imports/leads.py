"""Files of invented leads: many scripts, quotes, line breaks in cells, 3 % bad, 2 % repeated, 10 % known already."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook

HEADER = (
    "name",
    "phone",
    "email",
    "source",
    "lead source",
    "conversation summary",
    "score",
    "primary language",
    "tags",
    "city",
)
FIRST = ("Dana", "Noam", "José", "Zoë", "Анна", "דנה", "यश", "Jürgen", "Chloé", "Mateo", "שרה", "Ravi", "Aïcha", "Liam")
LAST = ("Levi", "Cohen", "García", "O'Brien", "Иванова", "לוי", "शर्मा", "Müller", "Lefèvre", "Smith", "Díaz", "Khan")
CITIES = ("Lyon", "תל אביב", "Paris", "मुंबई", "São Paulo", "London", "Kraków", "Haifa")
SOURCES = ("web", "phone", "email", "referral", "walk_in", "social_media")
SUMMARIES = (
    "Asked for a call back",
    'said "call me tomorrow", then hung up',
    "wants two offers:\none for health,\none for life",
    "מעוניין בביטוח בריאות",
    "budget 1,200; prefers mornings",
    "",
)


def phone(number: int) -> str:
    """Valid numbers of four countries."""
    match number % 4:
        case 0:
            return f"+3361{number // 4:07}"
        case 1:
            return f"+97250{2_000_000 + number // 4 % 7_999_999:07}"
        case 2:
            return f"+4474{number // 4:08}"
        case _:
            return f"+9198{number // 4:08}"


def row(number: int, choose: random.Random) -> list[str]:
    first, last = FIRST[number % len(FIRST)], LAST[number % len(LAST)]
    chance = choose.random()
    told = number if chance > 0.02 else choose.randrange(number + 1)
    cells = [
        f"{first} {last}",
        phone(told),
        f"lead{number}@example.com",
        SOURCES[number % len(SOURCES)],
        "Google Ads" if number % 3 else "",
        SUMMARIES[number % len(SUMMARIES)],
        str(number % 101),
        ("he", "fr", "en", "hi")[number % 4],
        "vip;renewal" if number % 5 == 0 else "",
        CITIES[number % len(CITIES)],
    ]
    if chance > 0.97:
        spoil(cells, number)
    return cells


def spoil(cells: list[str], number: int) -> None:
    match number % 3:
        case 0:
            cells[0] = ""
        case 1:
            cells[3] = "nowhere"
        case _:
            cells[6] = "a lot"


def rows(count: int, seed: int = 7) -> Iterator[list[str]]:
    choose = random.Random(seed)
    for number in range(count):
        yield row(number, choose)


def write(path: Path, count: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows(count))


def write_workbook(path: Path, count: int) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Leads")
    sheet.append(HEADER)
    for one in rows(count):
        sheet.append(one)
    book.save(path)


def write_known(path: Path, count: int) -> int:
    """Every tenth lead of the file, as an earlier file had them; how many."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        known = range(0, count, 10)
        for number in known:
            one = [f"Earlier {number}", phone(number), "", "web", "", "", "", "", "", ""]
            writer.writerow(one)
        return len(known)
