"""Folders as schools keep them, and what is taken from them."""

from pathlib import Path

from cj_pipeline.batch.intake import Chosen, Intake, take_in
from cj_pipeline.batch.scaffold import scaffold_intake
from cj_pipeline.scales import GradeScale
from cj_pipeline_tests.batch.batch_folder import Files, write_files
from cj_pipeline_tests.batch.office_files import word_file

SWEDISH = "Jag tycker att det är bra att vi har en skola som inte är för stor, och det är kul med vänner på rasten."
ESSAYS: Files = {f"{name}.docx": word_file(SWEDISH, name) for name in ("Anna Berg", "Bo Ek", "Cia Dal", "007")}
GRADES = "Elev;Betyg\nAnna Berg;F\nBo Ek;C\nCia Dal;A\n"


def school(tmp_path: Path, *more: Files, essays: Files = ESSAYS) -> Path:
    files: dict[str, str | bytes | None] = dict(essays)
    for each in more:
        files |= each
    return write_files(tmp_path / "school", files)


def taken(folder: Path, *, leave_out: bool = False, **chosen: Path) -> Intake:
    return take_in(folder, Chosen(**chosen), leave_out=leave_out)


def written(tmp_path: Path, intake: Intake, scale: GradeScale | None = None) -> Path:
    return scaffold_intake(tmp_path / "batches", "x", intake, scale=scale, judge="emulator:lexical")
