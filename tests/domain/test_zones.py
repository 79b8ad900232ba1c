"""Which names are time zones."""

import pytest

from domain.zones import is_zone


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "posix/Europe/Paris", "right/Europe/Paris", "Nowhere/At_All"]
)
def test_a_name_that_only_this_machine_knows_is_no_zone(name: str) -> None:
    assert not is_zone(name)
