"""What the doctor found, in words: a line each, and the command that mends it below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from voladdin.errors import VoladdinError

OK, NOTE, FAULT = "ok", "note", "FAULT"


@dataclass(frozen=True)
class Finding:
    """what: the part. state: OK, NOTE (it works, but) or FAULT. mend: the command, or what to do."""

    what: str
    state: str
    said: str
    mend: str = ""


@dataclass(frozen=True)
class Look:
    """One look at an installation. mend: what helps where the look itself fails."""

    what: str
    look: Callable[[], Iterable[Finding]]
    mend: str


def looked_at(checks: Iterable[Look]) -> Iterator[Finding]:
    """The findings of every check; one that fails itself is a fault, and the others go on."""
    for check in checks:
        try:
            yield from check.look()
        except VoladdinError as error:
            yield Finding(check.what, FAULT, str(error), check.mend)
        except Exception as error:  # a check must not hide the others' findings
            said = f"this check failed: {type(error).__name__}: {error}"
            yield Finding(check.what, FAULT, said, check.mend)


def summary(findings: Iterable[Finding]) -> str:
    """Such as "doctor: 2 faults, 1 note"."""
    found = list(findings)
    counts = [
        (sum(f.state == state for f in found), word) for state, word in ((FAULT, "fault"), (NOTE, "note"))
    ]
    said = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count)
    return f"doctor: {said or 'all is well'}"


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """As the terminal shows them."""
    for found in findings:
        yield f"{found.state:<6}{found.what:<16}{found.said}"
        if found.mend:
            yield f"{'':22}-> {found.mend}"
