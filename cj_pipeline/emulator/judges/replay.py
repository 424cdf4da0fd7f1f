"""Recorded judgments of people, given again as they were, one for each time that a pair is asked.

The record is a csv like `human_judgments.csv`, beside the essays it speaks of. A request carries no essay ids, so
the votes on two texts are found by the texts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from cj_pipeline.batch.human_judgments import read_votes
from cj_pipeline.batch.readers import read_essays
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.emulator.judges.comparison import ESSAY_A, ESSAY_B, TIE, Comparison, Judge, NoAnswer, Reply, verdict
from cj_pipeline.errors import BatchError

CONFIDENCE = 3  # the form asks for one, and none is recorded
_SEATS = {"essay_a": ESSAY_A, "essay_b": ESSAY_B, "tie": TIE}
_EXCHANGED = {ESSAY_A: ESSAY_B, ESSAY_B: ESSAY_A, TIE: TIE}


@dataclass(frozen=True, slots=True)
class Vote:
    """Who judged, and the winner by its seat."""

    judge: str
    winner: str


@dataclass(frozen=True, slots=True)
class Record:
    """Votes in the order of the file, by the text that was shown first and the one shown second."""

    votes: Mapping[tuple[str, str], Sequence[Vote]]

    def on(self, text_a: str, text_b: str) -> list[Vote]:
        """All votes on two texts as seen from these seats; those that were given in them come first."""
        as_shown = list(self.votes.get((text_a, text_b), ()))
        if text_a == text_b:
            return as_shown
        turned = self.votes.get((text_b, text_a), ())
        return as_shown + [Vote(vote.judge, _EXCHANGED[vote.winner]) for vote in turned]


def replay(file: str) -> Judge:
    """A judge who says what the file says. Raises `ValueError` for a name that is no csv's."""
    if not file.endswith(".csv"):
        raise ValueError("name the csv with the recorded judgments: replay:FOLDER/FILE.csv")
    return partial(_reply, path=Path(file))


def _reply(comparison: Comparison, *, path: Path) -> Reply:
    try:
        record = _record(path, _state(path.parent))
    except BatchError as error:
        raise NoAnswer(f"The record cannot be replayed. {error}") from None
    votes = record.on(comparison.text_a.strip(), comparison.text_b.strip())
    if comparison.replicate >= len(votes):
        raise NoAnswer(
            f"{path}: {len(votes)} votes are recorded on these two texts, and number {comparison.replicate + 1} was "
            "asked for. Ask in pairs.csv what is recorded."
        )
    vote = votes[comparison.replicate]
    if vote.winner == TIE and not comparison.ties:
        raise NoAnswer(f"{path}: {vote.judge} called these two texts equal, and no tie is offered. Set ties = true.")
    return Reply(verdict(vote.winner, f"Recorded vote of {vote.judge}.", CONFIDENCE))


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of what lies in the folder: another state is read anew."""
    try:
        found = [(path.name, path.stat()) for path in folder.iterdir()]
    except OSError as error:
        raise BatchError(f"{folder.absolute()}: cannot be read ({error.strerror}).") from None
    return tuple(sorted((name, status.st_mtime_ns, status.st_size) for name, status in found))


@lru_cache(maxsize=16)
def _record(path: Path, _: tuple[tuple[str, int, int], ...]) -> Record:
    notices = Notices()
    texts = {essay.essay_id: essay.text.strip() for essay in read_essays(path.parent, notices)}
    votes: defaultdict[tuple[str, str], list[Vote]] = defaultdict(list)
    for row in read_votes(path, set(texts), notices):
        seats = (texts[row["essay_a"]], texts[row["essay_b"]])
        votes[seats].append(Vote(row["judge_id"], _SEATS[row["winner"]]))
    return Record(dict(votes))
