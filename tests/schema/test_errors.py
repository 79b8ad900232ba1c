from domain.errors import (
    BadInput,
    ConflictProblem,
    InputProblem,
    LimitProblem,
    NotFoundProblem,
    Rejected,
    StateProblem,
)
from domain.vocabulary import JobState, UserErrorCode
from schema.errors import ConflictError, InputError, LimitError, NotFoundError, StateError, user_errors


def test_each_problem_becomes_the_type_that_has_its_particulars():
    place = ("input", "id")
    shown = user_errors(
        Rejected(
            InputProblem(UserErrorCode.UNKNOWN_VALUE, "No such status.", place, ("new", "won")),
            NotFoundProblem(UserErrorCode.NOT_FOUND, "Absent.", place, ("lead_1",)),
            ConflictProblem(UserErrorCode.VERSION_CONFLICT, "Changed.", place, current_version=3),
            LimitProblem(UserErrorCode.LIMIT_EXCEEDED, "Too many.", place, limit=10, actual=11, retry_after_seconds=5),
            StateProblem(UserErrorCode.WRONG_STATE, "Over.", place, JobState.COMPLETED),
        )
    )
    path = ["input", "id"]
    assert shown == [
        InputError(code="UNKNOWN_VALUE", message="No such status.", path=path, allowed_values=["new", "won"]),
        NotFoundError(code="NOT_FOUND", message="Absent.", path=path, ids=["lead_1"]),
        ConflictError(
            code="VERSION_CONFLICT", message="Changed.", path=path, current_version=3, current_plan_revision=None
        ),
        LimitError(code="LIMIT_EXCEEDED", message="Too many.", path=path, limit=10, actual=11, retry_after_seconds=5),
        StateError(code="WRONG_STATE", message="Over.", path=path, state=JobState.COMPLETED),
    ]


def test_bad_input_inside_a_mutation_becomes_an_input_error_at_its_path():
    (shown,) = user_errors(BadInput("null is not a value.", ("input", "spec", "columns", "3")))
    assert shown == InputError(
        code="INVALID", message="null is not a value.", path=["input", "spec", "columns", "3"], allowed_values=None
    )


def test_an_error_about_no_single_input_has_no_path():
    (shown,) = user_errors(Rejected(InputProblem(UserErrorCode.RATE_LIMITED, "Later.")))
    assert shown.path is None
