from domain.lead_values import SearchValues, contact_values, name_key, search_form, search_text


def test_a_valid_phone_gives_its_three_columns():
    values = contact_values("06 12 34 56 78", None, "FR")
    assert (values.phone, values.phone_display, values.phone_key) == (
        "+33612345678",
        "+33 6 12 34 56 78",
        "+33612345678",
    )


def test_blank_contacts_are_none():
    values = contact_values("  ", "", "FR")
    assert (values.phone, values.phone_key, values.email, values.email_key) == (None, None, None, None)


def test_an_address_keeps_its_case_and_its_key_does_not():
    values = contact_values(None, " Dana@Example.com ", "FR")
    assert (values.email, values.email_key) == ("Dana@Example.com", "dana@example.com")


def test_what_is_searched_is_found_by_its_form():
    values = SearchValues(
        name="Dana  Levi", email="D@example.com", phone_key="+972501234567", external_id="X-1", notes="Straße\n5"
    )
    text = search_text(values)
    assert all(search_form(term) in text for term in ("dana levi", "D@EXAMPLE", "972501234567", "x-1", "STRASSE 5"))


def test_only_the_beginning_of_long_notes_is_searched():
    assert len(search_text(SearchValues(name="a", notes="b" * 10_000))) == 4_098


def test_names_match_without_case_and_doubled_blanks():
    assert name_key(" ACME  Corp ") == name_key("acme corp")
