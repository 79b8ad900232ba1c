"""Why a file cannot be imported at all."""

from domain.vocabulary import JobFailureCode


class FileFault(Exception):
    """The file cannot be read (on). `code` and `message` end the job; the message is safe to show."""

    code = JobFailureCode.UNREADABLE_FILE

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnsafeFile(FileFault):
    """The file would use far more memory or disk than its size says."""

    code = JobFailureCode.UNSAFE_FILE


class TooLarge(FileFault):
    """The file passes a limit of the organization."""

    code = JobFailureCode.LIMIT_EXCEEDED
