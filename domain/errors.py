"""What can go wrong, as data: a code for programs, a safe message for people, and the place in the input."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.ids import IdKind, parse_id
from domain.vocabulary import JobFailureCode, JobState, Permission, UserErrorCode

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """An expected failure of a mutation. `path` leads into the input (`("input", "spec", "columns", "3")`)."""

    code: UserErrorCode
    message: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class InputProblem(Problem):
    """A value of the input is wrong; `allowed_values` lists what would be right where that is a short list."""

    allowed_values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class NotFoundProblem(Problem):
    """Something named in the input is absent, of another type or of another organization: the same answer."""

    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConflictProblem(Problem):
    """Somebody else changed it first."""

    current_version: int | None = None
    current_plan_revision: int | None = None


@dataclass(frozen=True, slots=True)
class LimitProblem(Problem):
    """A limit was passed; `limit` and `actual` in the limit's own unit (bytes, rows, ids, jobs)."""

    limit: int = 0
    actual: int | None = None
    retry_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class StateProblem(Problem):
    """The job's state does not allow this."""

    state: JobState = JobState.QUEUED


class Rejected(Exception):
    """A mutation's input cannot be carried out; becomes `userErrors`."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems: Sequence[Problem] = problems


class BadInput(Exception):
    """A query's input is wrong; becomes a top-level error with extensions.code BAD_USER_INPUT.

    Inside a mutation it becomes an InputError with the same path and this code.
    """

    def __init__(
        self,
        message: str,
        path: Path = (),
        allowed_values: tuple[str, ...] | None = None,
        *,
        code: UserErrorCode = UserErrorCode.INVALID,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.allowed_values = allowed_values
        self.code = code

    def under(self, *outer: str) -> "BadInput":
        """The same, its path led on from where the input is."""
        return BadInput(self.message, (*outer, *self.path), self.allowed_values, code=self.code)

    @property
    def problem(self) -> InputProblem:
        """What a mutation answers."""
        return InputProblem(self.code, self.message, self.path, self.allowed_values)


class Unauthenticated(Exception):
    """No credential, or one that is not valid (any more)."""

    def __init__(self, message: str = "A valid bearer token or API key is required.") -> None:
        super().__init__(message)


class Forbidden(Exception):
    """The credential is valid and lacks a permission."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"This needs the permission {permission}.")
        self.permission = permission


class JobFailed(Exception):
    """A job cannot go on; ends it as FAILED with this code and safe message."""

    def __init__(self, code: JobFailureCode, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable


class JobFenced(Exception):
    """Another worker has claimed the job since (a newer epoch): stop without writing anything."""

    def __init__(self, job_id: UUID, epoch: int) -> None:
        super().__init__(f"job {job_id} was claimed after epoch {epoch}")


class JobCancelled(Exception):
    """Somebody asked to cancel the job; raised at the next block."""


def invalid(message: str, *path: str, allowed: Sequence[str] | None = None) -> Rejected:
    """A Rejected for one value of the input that is not valid."""
    return Rejected(InputProblem(UserErrorCode.INVALID, message, path or None, tuple(allowed) if allowed else None))


def not_found(what: str, given: str, *path: str) -> Rejected:
    """A Rejected for an identifier that names nothing the caller can see."""
    return Rejected(
        NotFoundProblem(UserErrorCode.NOT_FOUND, f"There is no {what} with this id.", path or None, (given,))
    )


def known_id(kind: IdKind, what: str, given: str, *path: str) -> UUID:
    """The UUID behind a shown id. Raises Rejected (NOT_FOUND) for a text that names nothing of this kind."""
    found = parse_id(kind, given)
    if found is None:
        raise not_found(what, given, *path)
    return found
