from domain.vocabulary import ImportIssueCode, JobFailureCode, UserErrorCode
from tools.error_meanings import ISSUES, JOB_FAILURES, TOP_LEVEL, USER_ERRORS
from tools.print_errors import PAGE, errors_page, top_level_codes


def test_the_page_of_errors_is_what_the_code_has():
    assert PAGE.read_text(encoding="utf-8") == errors_page(), (
        "run python -m tools.print_errors and commit docs/errors.md"
    )


def test_every_code_has_a_meaning():
    assert set(USER_ERRORS) == set(UserErrorCode)
    assert set(JOB_FAILURES) == set(JobFailureCode)
    assert set(ISSUES) == set(ImportIssueCode)


def test_every_top_level_code_of_the_code_is_explained():
    assert top_level_codes() == set(TOP_LEVEL)


def test_a_message_stands_beside_its_code():
    page = errors_page()
    assert "**`NOT_FOUND`**" in page
    assert "There is no {what} with this id." in page
