"""`cj new`: a batch folder from nothing, from essays as they are, or from whatever a school keeps in a folder."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cj_pipeline.cli.terminal import BatchId, out, show_notices
from cj_pipeline.errors import BatchError

if TYPE_CHECKING:
    from cj_pipeline.batch.intake import Intake
    from cj_pipeline.scales import GradeScale

TRYING_OUT = "emulator:lexical"
NO_SCALE = "none"
_LANGUAGES = {"en": "English", "sv": "Swedish", None: "neither English nor Swedish"}


def new(
    batch_id: BatchId,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Recognise what lies in a folder and take it.")
    ] = None,
    essays: Annotated[
        Path | None, typer.Option(help="Folder of .docx, .txt or .md files, or a .csv, .jsonl, .parquet or .xlsx file.")
    ] = None,
    anchors: Annotated[Path | None, typer.Option(help="csv or xlsx with the columns essay_id, grade.")] = None,
    assignment: Annotated[Path | None, typer.Option(help="With --from: the assignment, .docx, .md or .txt.")] = None,
    rubric: Annotated[Path | None, typer.Option(help="With --from: the rubric, .docx, .md or .txt.")] = None,
    scale: Annotated[
        str | None, typer.Option(help='A built-in scale (cefr, ...), "none", or with --from grades: "F,E,D,C,B,A".')
    ] = None,
    judge: Annotated[str | None, typer.Option(help="PROVIDER:MODEL, for example emulator:lexical.")] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="With --from: go on without the files that cannot be read.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --from: show what is taken; write nothing.")] = False,
) -> None:
    """Make a batch folder with a manifest that explains itself.

    Example: cj new spring-5b --from ~/spring-5b --judge openai:gpt-6-luna
    """
    from cj_pipeline.settings import Settings

    root = Settings().batches
    if source is None:
        _bare(root, batch_id, essays, anchors, scale, judge or TRYING_OUT)
        return
    from cj_pipeline.batch.intake import Chosen, take_in
    from cj_pipeline.batch.scaffold import manifest_text, new_folder, scaffold_intake

    folder = new_folder(root, batch_id)
    intake = take_in(source, Chosen(essays, anchors, assignment, rubric), leave_out=leave_out)
    _show(source, intake)
    grades, judge = _answers(intake, scale, judge)
    out.print(f"  scale       {_scale_words(grades, intake)}")
    out.print(f"  judge       {judge}")
    manifest_text(folder, scale=grades, judge=judge)
    show_notices(_notices(intake))
    if dry_run:
        out.print("Nothing was written.")
        return
    scaffold_intake(root, batch_id, intake, scale=grades, judge=judge)
    out.print(f"{folder} is written. Next: cj plan {batch_id}")


def _bare(root: Path, batch_id: str, essays: Path | None, anchors: Path | None, scale: str | None, judge: str) -> None:
    from cj_pipeline.batch.scaffold import scaffold

    named = None if scale == NO_SCALE else scale
    folder = scaffold(root, batch_id, scale=named, judge=judge, essays=essays, anchors=anchors)
    out.print(f"{folder}:")
    for path in sorted(folder.iterdir()):
        out.print(f"  {path.name}")
    if essays is None:
        out.print(f"Put the essays into {folder}/essays/ (one .docx, .txt or .md each), or write essays.csv.")
    out.print(f"Write assignment.md and rubric.md, then: cj plan {batch_id}")


def _answers(intake: "Intake", scale: str | None, judge: str | None) -> "tuple[GradeScale | None, str]":
    """What only a person can say: from the options, or guessed where one answer fits, else asked at a terminal."""
    fitting = _fitting(intake)
    wanted = {}
    if scale is None and _grades(intake) and len(fitting) != 1:
        wanted["scale"] = _scale_wanted(intake, fitting)
    if judge is None:
        wanted["judge"] = f"--judge PROVIDER:MODEL: who judges ({TRYING_OUT} for trying out, costs nothing)"
    if wanted and not (sys.stdin.isatty() and out.is_terminal):
        raise BatchError("this much cannot be told from the folder; add\n  " + "\n  ".join(wanted.values()))
    if "scale" in wanted:
        scale = str(typer.prompt(wanted["scale"]))
    judge = judge or str(typer.prompt("judge, PROVIDER:MODEL", default=TRYING_OUT))
    chosen = fitting[0] if scale is None and fitting else _named(scale)
    off = [grade for grade in _grades(intake) if chosen is not None and grade not in chosen.grades]
    if chosen is not None and off:
        raise BatchError(f"the grades {', '.join(off)} are not on the scale {chosen.name}. Choose another by --scale.")
    return chosen, judge


def _named(scale: str | None) -> "GradeScale | None":
    from cj_pipeline.scales import own_scale, scale_named

    if scale is None or scale == NO_SCALE:
        return None
    return own_scale([grade.strip() for grade in scale.split(",")]) if "," in scale else scale_named(scale)


def _grades(intake: "Intake") -> list[str]:
    lists = [grades for grades in (intake.anchors, intake.known) if grades is not None]
    return sorted({grade for grades in lists for grade in grades.grades.values()})


def _fitting(intake: "Intake") -> "list[GradeScale]":
    from cj_pipeline.batch.guesses import scales_that_fit

    return scales_that_fit(_grades(intake)) if _grades(intake) else []


def _scale_wanted(intake: "Intake", fitting: "list[GradeScale]") -> str:
    fits = f"fit {' and '.join(scale.name for scale in fitting)}" if fitting else "are on no built-in scale"
    return f"--scale NAME, or the grades worst to best with commas: the grades {', '.join(_grades(intake))} {fits}"


def _show(source: Path, intake: "Intake") -> None:
    forms = Counter(essay.file.suffix.lower() if essay.file else "row" for essay in intake.essays)
    kinds = ", ".join(f"{count} {form}" for form, count in sorted(forms.items()))
    out.print(f"{source}:")
    out.print(f"  essays      {len(intake.essays)} ({kinds}) from {intake.essay_place}")
    for name, grades in (("anchors", intake.anchors), ("known", intake.known)):
        if grades is not None:
            columns = " and ".join(grades.headings)
            out.print(f"  {name:<11} {len(grades.grades)} grades from {grades.path.name}, columns {columns}")
    if intake.pairs is not None:
        asked = sum(pair.times for pair in intake.pairs.pairs)
        out.print(
            f"  pairs       {len(intake.pairs.pairs)} to be asked {asked} times in all, from {intake.pairs.path.name}"
        )
    if intake.votes is not None:
        people = len({vote["judge_id"] for vote in intake.votes.votes})
        out.print(f"  votes       {len(intake.votes.votes)} from {intake.votes.path.name}, people: {people}")
    out.print(f"  assignment  {intake.assignment or 'none; a general one is written'}")
    out.print(f"  rubric      {intake.rubric or 'none; a general one is written'}")
    out.print(f"  language    {_LANGUAGES[intake.language]}, by the commonest words of the texts")


def _scale_words(scale: "GradeScale | None", intake: "Intake") -> str:
    if scale is None:
        return "none: scores without grades"
    unused = [grade for grade in scale.grades if grade not in _grades(intake)]
    return f"{scale.name}: {', '.join(scale.grades)}" + (f"; no anchor has {', '.join(unused)}" if unused else "")


def _notices(intake: "Intake") -> tuple[str, ...]:
    from cj_pipeline.batch.scaffold import report_language

    said = [
        *intake.notices,
        "An essay's id is the name of its file or row. Ids stand in reports here and are never sent to a provider.",
    ]
    if intake.assignment is None or intake.rubric is None:
        said.append(
            "assignment.md and rubric.md are what the judge reads: put your own there for judgements that count."
        )
    if intake.anchors is None:
        said.append("No list of anchors: there will be scores and no grades.")
    if intake.language is not None and report_language(intake) != intake.language:
        said.append(f"The report will be in English; this version has none in {_LANGUAGES[intake.language]}.")
    return tuple(said)
