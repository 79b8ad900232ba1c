"""Countries as ISO 3166-1 alpha-2 names them, as far as phone numbers know them."""

import phonenumbers


def is_country(code: str) -> bool:
    """Whether numbers without a calling code can be read as this country's: two capital letters, such as `FR`."""
    return code in phonenumbers.SUPPORTED_REGIONS
