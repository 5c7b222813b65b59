"""How a run ends: exit statuses, signals that become exceptions, and exceptions that become faults."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from initcli.errors import Fault, InitcliError, suggest

DONE = 0
ANSWER_IS_NO = 1
COULD_NOT_RUN = 2
INTERRUPTED = 128 + signal.SIGINT
READER_LEFT = 141
"""128 + SIGPIPE: what a shell reports of any program whose reader went away."""

_WORDS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}


class Stopped(BaseException):
    """A signal asked the run to end; `status` is 128 + its number, as shells count."""

    def __init__(self, number: int) -> None:
        super().__init__(_WORDS[signal.Signals(number).name])
        self.status = 128 + number


class AnswerIsNoError(InitcliError):
    """The run did what was asked, and the answer is no; without faults where the data tells it already."""


@contextmanager
def raising_signals() -> Iterator[None]:
    """Raise `Stopped` when a signal asks the run to end, so that it cleans up; then let the clean-up finish.

    A signal that the caller ignores (`nohup`, a shell's background job) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = [number for word in _WORDS if (number := getattr(signal, word, None)) is not None]
    before = {number: signal.getsignal(number) for number in asked}
    caught = [number for number in asked if before[number] != signal.SIG_IGN]

    def stop(number: int, _frame: FrameType | None) -> None:
        for each in caught:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for number in caught:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in caught:
            signal.signal(number, before[number] or signal.SIG_DFL)


def status_of(error: Exception) -> int:
    """Return the exit status of what was raised."""
    return ANSWER_IS_NO if isinstance(error, AnswerIsNoError) else COULD_NOT_RUN


def explain(error: Exception) -> InitcliError:
    """Return what is wrong, in the program's words, whatever was raised."""
    if isinstance(error, InitcliError):
        return error
    if isinstance(error, click.ClickException):
        return InitcliError(_explain_usage(error))
    if isinstance(error, MemoryError):
        return InitcliError(Fault("not enough memory", hint="use fewer `--jobs`"))
    if isinstance(error, OSError) and error.filename is None:
        reason = error.strerror or str(error)
        return InitcliError(Fault(f"cannot write to standard output: {reason[:1].lower()}{reason[1:]}"))
    if isinstance(error, OSError):
        from initcli.files import translate

        return translate(error, str(error.filename))
    return InitcliError(_explain_bug(error))


def _explain_usage(error: click.ClickException) -> Fault:
    """Return a usage error of click as a fault."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"`{context.command_path} --help` shows how to call it" if context else ""
    if isinstance(error, click.NoSuchOption):
        known = [name for each in context.command.params for name in each.opts] if context else []
        return Fault(f"no such option `{error.option_name}`", hint=suggest(error.option_name, known) or hint)
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = error.param.opts[0] if isinstance(error.param, click.Option) else error.param.human_readable_name
        return Fault(f"missing {error.param.param_type_name} `{name}`", hint=hint)
    what = error.format_message().strip().removesuffix(".").replace("'", "`")
    return Fault(what[:1].lower() + what[1:], hint=hint)


def _explain_bug(error: Exception) -> Fault:
    """Return an error that nobody expected as a fault that asks for a report and says where it comes from."""
    import traceback
    from pathlib import Path

    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{Path(__file__).parent.parent}" in frame.filename]
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    what = f"internal error: {type(error).__name__}: {error}{place}"
    return Fault(what, hint="this is a bug in initcli: please report this line, the command and the spec")
