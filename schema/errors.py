"""Errors as data: what a mutation answers when it cannot do what was asked."""

from collections.abc import Sequence
from typing import assert_never

import strawberry

from domain.errors import (
    BadInput,
    ConflictProblem,
    InputProblem,
    LimitProblem,
    NotFoundProblem,
    Problem,
    Rejected,
    StateProblem,
)
from domain.vocabulary import JobState, UserErrorCode
from schema.scalars import BigInt


@strawberry.interface(description="An expected failure of a mutation; nothing was done.")
class UserError:
    code: UserErrorCode = strawberry.field(description="What is wrong, for programs.")
    message: str = strawberry.field(
        description="Safe to show to a person; never SQL, file paths or another organization's data."
    )
    path: list[str] | None = strawberry.field(
        description='Path into the input, e.g. ["input", "spec", "columns", "3"]; null when not about one input.'
    )


@strawberry.type(description="A value of the input is wrong.")
class InputError(UserError):
    allowed_values: list[str] | None = strawberry.field(description="What would be right, where that is a short list.")


@strawberry.type(description="Something named in the input is absent, or not to be seen by the caller.")
class NotFoundError(UserError):
    ids: list[strawberry.ID] = strawberry.field(description="The ids as given.")


@strawberry.type(description="Somebody else changed it first.")
class ConflictError(UserError):
    current_version: int | None = strawberry.field(description="The lead's version now.")
    current_plan_revision: int | None = strawberry.field(description="The import plan's revision now.")


@strawberry.type(description="A limit was passed.")
class LimitError(UserError):
    limit: BigInt = strawberry.field(description="The limit, in bytes, rows, ids or jobs as the message says.")
    actual: BigInt | None = strawberry.field(description="What was asked for, in the same unit.")
    retry_after_seconds: int | None = strawberry.field(description="When it may work, where waiting helps.")


@strawberry.type(description="The job's state does not allow this.")
class StateError(UserError):
    state: JobState = strawberry.field(description="The job's state now.")


ERRORS = (InputError, NotFoundError, ConflictError, LimitError, StateError)


def user_errors(failure: Rejected | BadInput) -> list[UserError]:
    """What a mutation answers for a failure raised on the way."""
    match failure:
        case Rejected():
            return problems_shown(failure.problems)
        case BadInput():
            return [error_of(failure.problem)]
        case _:
            assert_never(failure)


def problems_shown(problems: Sequence[Problem]) -> list[UserError]:
    """Problems as the API shows them, in their order."""
    return [error_of(problem) for problem in problems]


def error_of(problem: Problem) -> UserError:
    """One problem as the type that has its particulars."""
    code, message, path = problem.code, problem.message, _path(problem.path)
    match problem:
        case NotFoundProblem():
            return NotFoundError(code=code, message=message, path=path, ids=[strawberry.ID(id) for id in problem.ids])
        case ConflictProblem():
            return ConflictError(
                code=code,
                message=message,
                path=path,
                current_version=problem.current_version,
                current_plan_revision=problem.current_plan_revision,
            )
        case LimitProblem():
            return LimitError(
                code=code,
                message=message,
                path=path,
                limit=BigInt(problem.limit),
                actual=None if problem.actual is None else BigInt(problem.actual),
                retry_after_seconds=problem.retry_after_seconds,
            )
        case StateProblem():
            return StateError(code=code, message=message, path=path, state=problem.state)
        case InputProblem():
            return _input_error(code, message, problem.path, problem.allowed_values)
        case _:
            return _input_error(code, message, problem.path, None)


def _input_error(
    code: UserErrorCode, message: str, path: Sequence[str] | None, allowed: Sequence[str] | None
) -> InputError:
    return InputError(
        code=code, message=message, path=_path(path), allowed_values=None if allowed is None else list(allowed)
    )


def _path(path: Sequence[str] | None) -> list[str] | None:
    return list(path) if path else None
