import json
import logging

import pytest

from commands.logs import JsonFormatter, TextFormatter

FORMATTERS = [JsonFormatter(), TextFormatter()]


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("leadport.test").makeRecord(
        "leadport.test", logging.WARNING, "file.py", 1, message, arguments, None, extra=extra
    )


def failed(message: str) -> logging.LogRecord:
    try:
        int("the row of +33612345678")
    except ValueError as error:
        made = record(message)
        made.exc_info = (ValueError, error, error.__traceback__)
        return made


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["json", "text"])
@pytest.mark.parametrize("text", ["a\r\nFAKE entry", "\x1b[31mred", "a\x00b", "a\u2028b", "right\u202eleft"])
def test_s11_whatever_is_logged_stays_on_its_line(formatter: logging.Formatter, text: str):
    line = formatter.format(record("of %s", text, path=text))
    assert len(line.splitlines()) == 1
    assert all(char.isprintable() for char in line)


def test_a_json_line_has_time_level_logger_message_and_what_else_was_given():
    entry = json.loads(JsonFormatter().format(record("%d rows", 3, job="job_1", seconds=0.5)))
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "warning",
        "logger": "leadport.test",
        "message": "3 rows",
        "job": "job_1",
        "seconds": 0.5,
    }


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["json", "text"])
def test_s11_an_error_is_logged_by_its_kind_and_place_without_its_words(formatter: logging.Formatter):
    text = formatter.format(failed("it failed"))
    assert "ValueError" in text
    assert "test_logs.py" in text
    assert "+33612345678" not in text
