"""Frames over a pipe."""

import os
import signal
import threading
from io import FileIO

from domain.vocabulary import JobFailureCode
from transfer.messages import Failed, read_message, write_message


def test_a_signal_while_the_pipe_is_full_loses_nothing_of_an_unbuffered_frame():
    read, write = os.pipe()
    sent = Failed(JobFailureCode.INTERNAL, "x" * (4 << 20))
    interrupted, received = threading.Event(), list[object]()

    def receive() -> None:
        assert interrupted.wait(60)
        with os.fdopen(read, "rb") as stream:
            received.append(read_message(stream))

    reader = threading.Thread(target=receive)
    reader.start()
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: interrupted.set())
    signal.setitimer(signal.ITIMER_REAL, 0.2)  # by then the pipe is full and the write waits
    try:
        with FileIO(write, "wb") as stream:
            write_message(stream, sent)
    finally:
        signal.signal(signal.SIGALRM, before)
        interrupted.set()
        reader.join()
    assert received == [sent]
