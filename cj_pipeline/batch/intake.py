"""What lies in a folder from school, and what each thing is taken for. Nothing is written here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cj_pipeline.batch.grade_lists import FoundTable, GradeList, found_table, grades_of
from cj_pipeline.batch.guesses import ASSIGNMENT_WORDS, KNOWN_WORDS, RUBRIC_WORDS, folded, language_of, speaks_of
from cj_pipeline.batch.paired_lists import PairList, VoteList, found_pairs, pair_list, vote_list
from cj_pipeline.batch.readers import TEXT_SUFFIXES, files_in, read_text_file, refuse_repeated_ids
from cj_pipeline.batch.table_rows import TABLE_SUFFIXES
from cj_pipeline.batch.taken_essays import TakenEssay, essays_of_files, essays_of_jsonl, essays_of_table
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError

_A_FEW = 3  # files that may be several assignments; more of a name are pupils' texts about one


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a person named instead of having it recognised."""

    essays: Path | None = None
    anchors: Path | None = None
    assignment: Path | None = None
    rubric: Path | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """A folder as understood. `notices` say what was put right, guessed or not taken."""

    essays: tuple[TakenEssay, ...]
    essay_place: Path
    anchors: GradeList | None
    known: GradeList | None
    pairs: PairList | None
    votes: VoteList | None
    assignment: Path | None
    rubric: Path | None
    prompt_texts: dict[Path, str]
    language: str | None
    notices: tuple[str, ...]


def take_in(folder: Path, chosen: Chosen, *, leave_out: bool) -> Intake:
    """Recognise essays, lists of grades, of pairs and of people's judgments, assignment and rubric in a folder.

    Raises `BatchError` for a file that cannot be read, unless such are left out, and where two things could be
    the same, naming the option that decides.
    """
    if not folder.is_dir():
        raise BatchError(f"{folder}: there is no such folder. Name the one that holds the essays.")
    notices = Notices()
    lying = [path for path in files_in(folder, notices) if path not in (chosen.essays, chosen.anchors)]
    texts = [path for path in lying if path.is_file() and path.suffix.lower() in TEXT_SUFFIXES]
    rubric = chosen.rubric or _spoken_of(texts, RUBRIC_WORDS, "--rubric")
    rest = [path for path in texts if path != rubric]
    assignment = chosen.assignment or _spoken_of(rest, ASSIGNMENT_WORDS, "--assignment")
    prompts = {path: read_text_file(path, notices).strip() for path in (assignment, rubric) if path is not None}
    listing = [path for path in lying if _is_table(path)]
    paired = [pairing for path in listing if (pairing := found_pairs(path, notices)) is not None]
    unpaired = [path for path in listing if path not in {table.path for table in paired}]
    tables = [table for path in unpaired if (table := found_table(path, notices)) is not None]
    place = chosen.essays or _essay_place(folder, [path for path in lying if path not in prompts], tables)
    essays, problems = _essays_at(place, tables, prompts, notices)
    if problems and not leave_out:
        raise BatchError(
            f"{place}: {_count(len(problems), 'thing')} there cannot be taken. Put them right or move them out, or add "
            "--leave-out to go on without them.\n  " + "\n  ".join(problems)
        )
    for problem in problems:
        notices.add(f"left out. {problem}")
    refuse_repeated_ids([(essay.essay_id, essay.where) for essay in essays])
    anchors, known = _grade_lists(tables, chosen.anchors, essays, notices)
    ids = [essay.essay_id for essay in essays]
    pairs, votes = pair_list(paired, ids), vote_list(paired, ids)
    taken = {place, *prompts, *(found.path for found in (anchors, known, pairs, votes) if found)}
    _tell_what_was_not_taken(folder, lying, taken, notices)
    return Intake(
        tuple(essays), place, anchors, known, pairs, votes, assignment, rubric, prompts,
        language_of([essay.text for essay in essays]), tuple(notices.lines),
    )  # fmt: skip


def _is_table(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in TABLE_SUFFIXES


def _spoken_of(texts: Sequence[Path], words: set[str], option: str) -> Path | None:
    """The file whose name says what it is; pupils' texts may be called after their assignment as well."""
    by_name = [path for path in texts if speaks_of(path.stem, words)]
    exact = [path for path in by_name if folded(path.stem) in words]
    candidates = exact if len(exact) == 1 else by_name
    if len(candidates) == 1:
        return candidates[0]
    if 1 < len(candidates) <= _A_FEW and len(candidates) < len(texts):
        names = ", ".join(path.name for path in candidates)
        raise BatchError(f"{texts[0].parent}: which of them is it: {names}? Say so by {option} FILE.")
    return None


def _essay_place(folder: Path, lying: Sequence[Path], tables: Sequence[FoundTable]) -> Path:
    """The one folder or table that holds essays; a single text beside a folder of texts is a stray note."""
    counts = {folder: len(_texts_among(lying))}
    counts |= {path: len(_texts_among(path.iterdir())) for path in lying if path.is_dir()}
    places = [path for path, count in counts.items() if count > 1]
    places += [table.path for table in tables if table.texts is not None]
    places += [path for path in lying if path.suffix.lower() == ".jsonl"]
    if len(places) > 1:
        names = " and ".join(str(place) for place in places)
        raise BatchError(f"{folder}: texts lie in {names}. Say by --essays which of them are the essays.")
    if not places:
        raise BatchError(
            f"{folder}: fewer than two essays. Put one .docx, .txt or .md file per essay there, or a table with a "
            "column of names and a column of texts."
        )
    return places[0]


def _texts_among(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.suffix.lower() in TEXT_SUFFIXES and not path.name.startswith(("~$", "."))]


def _essays_at(
    place: Path, tables: Sequence[FoundTable], prompts: Iterable[Path], notices: Notices
) -> tuple[list[TakenEssay], list[str]]:
    """The essays, and what could not be taken with its remedy."""
    if not place.exists():
        raise BatchError(f"{place}: there is no such file or folder.")
    if place.is_dir():
        return essays_of_files([path for path in files_in(place, notices) if _may_be_essay(path, prompts)], notices)
    if place.suffix.lower() == ".jsonl":
        return essays_of_jsonl(place, notices)
    if place.suffix.lower() not in TABLE_SUFFIXES:
        raise BatchError(f"{place}: neither a folder nor a .csv, .xlsx, .parquet or .jsonl file.")
    table = next((table for table in tables if table.path == place), None) or found_table(place, notices)
    if table is None or table.texts is None:
        raise BatchError(f"{place}: no column of texts. Name it text, and the column of names id.")
    return essays_of_table(table, notices)


def _may_be_essay(path: Path, prompts: Iterable[Path]) -> bool:
    """Neither told apart already, nor an assignment in a form that is not read, which is no pupil's work."""
    readable = path.suffix.lower() in TEXT_SUFFIXES
    beside = path.is_dir() or _is_table(path) or path.suffix.lower() in {".jsonl", ".toml"}
    return (
        not beside and path not in prompts and (readable or not speaks_of(path.stem, ASSIGNMENT_WORDS | RUBRIC_WORDS))
    )


def _grade_lists(
    tables: Sequence[FoundTable], chosen: Path | None, essays: Sequence[TakenEssay], notices: Notices
) -> tuple[GradeList | None, GradeList | None]:
    """The list of anchors, and the list of known grades where a file's name says that it is one."""
    graded = [table for table in tables if table.grades is not None]
    known = [table for table in graded if speaks_of(table.path.stem, KNOWN_WORDS)]
    anchors = [table for table in graded if table not in known]
    if chosen is not None:
        table = found_table(chosen, notices) if chosen.is_file() else None
        if table is None or table.grades is None:
            raise BatchError(f"{chosen}: no list of grades. Name a table with a column of names and a column grade.")
        anchors = [table]
    for name, lists in (("anchors", anchors), ("known grades", known)):
        if len(lists) > 1:
            files = " and ".join(table.path.name for table in lists)
            raise BatchError(
                f"{files}: both hold {name}. Say by --anchors which is the list of anchors; move the other."
            )
    ids = [essay.essay_id for essay in essays]
    found = [grades_of(lists[0], ids) if lists else None for lists in (anchors, known)]
    for grades in found:
        if grades and grades.without_essay:
            notices.add(f"{grades.path}: no essay lies there of {', '.join(grades.without_essay)}; left out.")
    if found[0] and len(found[0].grades) == len(ids):
        notices.add(f"{found[0].path}: every essay has a grade, so every essay is an anchor and none is graded.")
    return found[0], found[1]


def _tell_what_was_not_taken(folder: Path, lying: Sequence[Path], taken: set[Path], notices: Notices) -> None:
    left = [path.name for path in lying if path not in taken and not (folder in taken and _may_be_essay(path, ()))]
    if left:
        notices.add(f"{folder}: not taken: {', '.join(left)}.")


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
