import pytest

from domain.errors import BadInput
from domain.paging import DEFAULT_PAGE_SIZE, PageArguments, PageRequest


def test_a_page_goes_forward_or_backward():
    assert PageArguments(first=5, after="x").request(100) == PageRequest(5, "x")
    assert PageArguments(last=5, before="x").request(100) == PageRequest(5, "x", backward=True)
    assert PageArguments(before="x").request(100) == PageRequest(DEFAULT_PAGE_SIZE, "x", backward=True)


def test_a_page_without_a_size_is_never_larger_than_the_maximum():
    assert PageArguments().request(100) == PageRequest(DEFAULT_PAGE_SIZE)
    assert PageArguments().request(10) == PageRequest(10)


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (PageArguments(first=0), ("first",)),
        (PageArguments(first=-1), ("first",)),
        (PageArguments(first=101), ("first",)),
        (PageArguments(last=10**9), ("last",)),
        (PageArguments(first=1, last=1), ("last",)),
        (PageArguments(first=1, before="x"), ("last",)),
        (PageArguments(after=""), ("after",)),
        (PageArguments(before="x" * 2_000), ("before",)),
        (PageArguments(first=0, path=("issues",)), ("issues", "first")),
    ],
)
def test_what_is_no_page_is_refused_at_its_place(arguments: PageArguments, place: tuple[str, ...]):
    with pytest.raises(BadInput) as refused:
        arguments.request(100)
    assert refused.value.path == place
