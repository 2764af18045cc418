"""What a simulator does and refuses, each with where we know it from (conformance kit 4.13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from .refusal import Refusal


@dataclass(frozen=True, slots=True)
class Recorded:
    """Seen on the live platform: the name of the fixture that holds it."""

    fixture: str

    def __str__(self) -> str:
        return f"recorded in {self.fixture}"


@dataclass(frozen=True, slots=True)
class Documented:
    """Written in a platform's own documents, at `url`, as of the day `read`."""

    url: str
    read: date

    def __str__(self) -> str:
        return f"documented at {self.url}, read {self.read}"


@dataclass(frozen=True, slots=True)
class Assumed:
    """Our guess, and what it rests on."""

    because: str

    def __str__(self) -> str:
        return f"assumed: {self.because}"


Provenance = Recorded | Documented | Assumed


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One thing that a simulator does.

    Args:
        id: Its name, which is also the error code if it is a refusal.
        does: What happens, in one sentence.
        provenance: Where we know it from.
        refuses: The HTTP status, if it is a refusal.
    """

    id: str
    does: str
    provenance: Provenance
    refuses: int | None = None


class Behaviours:
    """The behaviours of one simulator; it can refuse nothing that is not declared here.

    Args:
        declared: All of them.
        lenient: Ids of refusals that do not happen: a defect on purpose, for tests of tests.

    Attributes:
        provoked: How often each refusal happened.

    Raises:
        ValueError: Two have the same id, or `lenient` names what is no refusal.
    """

    def __init__(self, declared: Sequence[Behaviour], lenient: Collection[str] = ()) -> None:
        self._declared = {behaviour.id: behaviour for behaviour in declared}
        if len(self._declared) != len(declared):
            raise ValueError("found two behaviours with the same id; rename one")
        if unknown := set(lenient) - {refusal.id for refusal in self.refusals()}:
            raise ValueError(f"lenient: found {sorted(unknown)}, expected ids of refusals of this simulator")
        self._lenient = frozenset(lenient)
        self.provoked: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Behaviour]:
        return iter(self._declared.values())

    def __getitem__(self, behaviour: str) -> Behaviour:
        return self._declared[behaviour]

    def refusals(self) -> list[Behaviour]:
        """Those that are refusals."""
        return [behaviour for behaviour in self if behaviour.refuses is not None]

    def refuse(self, code: str, found: str, *, retry_after: float | None = None, when: object = True) -> None:
        """Raises the declared refusal `code` if `when` is true and the simulator is not lenient about it.

        Args:
            code: The id of the behaviour.
            found: What was found and what was expected, for people.
            retry_after: Seconds until it may work.
            when: The condition.

        Raises:
            Refusal: The refusal.
            KeyError: It is not declared.
        """
        behaviour = self._declared[code]
        if not when or code in self._lenient:
            return
        if behaviour.refuses is None:
            raise KeyError(f"{code} is declared without the status that it refuses with")
        self.provoked[code] += 1
        raise Refusal(code, found, status=behaviour.refuses, retry_after=retry_after)
