"""Which media type an answer has (RFC 9110 section 12.5.1, GraphQL over HTTP)."""

import pytest

from web.negotiation import Media, accepted
from web.ranges import ByteRange, RangeNotSatisfiable, requested_range

BOTH = (Media.JSON, Media.RESPONSE)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (Media.JSON,)),
        ("", (Media.JSON,)),
        ("*/*", BOTH),
        ("application/*", BOTH),
        ("application/json", (Media.JSON,)),
        ("APPLICATION/JSON; charset=utf-8", (Media.JSON,)),
        ("application/graphql-response+json, application/json;q=0.9", (Media.RESPONSE, Media.JSON)),
        ("application/json, application/graphql-response+json", (Media.JSON, Media.RESPONSE)),
        ("application/json;q=0.1, application/graphql-response+json;q=0.2", (Media.RESPONSE, Media.JSON)),
        ("application/json;q=0, */*", (Media.RESPONSE,)),
        ("text/event-stream", (Media.EVENTS,)),
        ("application/json, text/event-stream", (Media.JSON, Media.EVENTS)),
        ("text/*", ()),
        ("text/html", ()),
        ("application/json;q=nonsense", ()),
        ("multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json", (Media.MULTIPART, Media.JSON)),
    ],
)
def test_the_preferred_type_comes_first(header: str | None, expected: tuple[Media, ...]) -> None:
    assert accepted(header) == expected


def test_an_endless_header_is_read_to_its_beginning() -> None:
    assert accepted("application/json," + "text/html," * 1_000_000)[0] is Media.JSON


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes=90-", ByteRange(90, 100)),
        ("bytes=90-1000", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=9-0", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-9", None),
        ("bytes=0-9\n", ByteRange(0, 10)),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 5_000 + "-", None),
    ],
)
def test_one_range_of_bytes_is_read_and_anything_else_means_the_whole(
    header: str | None, expected: ByteRange | None
) -> None:
    assert requested_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=1000-2000", "bytes=-0"])
def test_a_range_outside_the_file_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        requested_range(header, 100)
