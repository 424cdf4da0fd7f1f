"""Every mistake a person makes in a batch folder has its own message: the file, the row, and what to do."""

import unicodedata
from pathlib import Path

import pytest

from cj_pipeline.batch import batch_folder, batch_ids, read_batch
from cj_pipeline.errors import BatchError, UnknownBatch
from cj_pipeline_tests.batch.batch_folder import ANCHORS, ESSAYS, IN_ORDER, MANIFEST, Files, batch_with, write_files

OWN_SCALE = '[scale]\ngrades = ["F", "E", "C", "A"]\n'
PAID = MANIFEST.replace('"emulator"', '"openai"')
DECOMPOSED = unicodedata.normalize("NFD", "é")
SECOND_JUDGE = '[[judges]]\nid = "luna"\nprovider = "emulator"\nmodel = "latent"\n'


def manifest(old: str, new: str) -> Files:
    assert old in MANIFEST
    return {"batch.toml": MANIFEST.replace(old, new)}


def more(text: str) -> Files:
    return {"batch.toml": MANIFEST + text}


def essays(old: str, new: str) -> Files:
    assert old in ESSAYS
    return {"essays.csv": ESSAYS.replace(old, new)}


def jsonl(*lines: str) -> Files:
    return {"essays.csv": None, "anchors.csv": None, "essays.jsonl": "\n".join(lines)}


def texts(files: Files) -> Files:
    return {"essays.csv": None, "anchors.csv": None, **{f"essays/{name}": text for name, text in files.items()}}


ONE = '{"essay_id": "e1", "text": "One."}'
TWO = '{"essay_id": "e2", "text": "Two."}'
BY_HAND = '[batch]\n[[judges]]\nid = "own"\nprovider = "vllm"\nmodel = "m"\n'

MISTAKES: dict[str, tuple[Files, list[str]]] = {
    # the manifest
    "no manifest": ({"batch.toml": None}, ["batch.toml", "no manifest", "`cj new`"]),
    "no TOML": (manifest("[batch]", "[batch"), ["batch.toml", "not valid TOML", "line 1", "Correct"]),
    "a manifest that is not UTF-8": ({"batch.toml": "title = 'é'".encode("latin-1")}, ["batch.toml", "UTF-8", "Save"]),
    "a number of five thousand digits": (more("[checks]\nmax_words = " + "9" * 5000), ["not valid TOML", "digits"]),
    "an unknown key": (manifest("title", "titel"), ["unknown key batch.titel", "Did you mean 'title'?"]),
    "a key like no other": (more("[pairing]\nxyz = 1\n"), ["unknown key pairing.xyz", "Known keys there: audit_share"]),
    "an unknown section": (more("[spendings]\n"), ["unknown key spendings", "Did you mean 'spending'?"]),
    "an unknown key of a judge": (more("modle = 'x'\n"), ["unknown key judges[1].modle", "'model'"]),
    "a wrong type": (manifest('"Six essays"', "6"), ["batch.title", "valid string", "found 6", "Correct it"]),
    "a number as a text": (more("[spending]\nmax_usd = '5'\n"), ["spending.max_usd", "valid number", "found '5'"]),
    "yes for a number": (more("[spending]\nmax_usd = true\n"), ["spending.max_usd", "found True"]),
    "a cap that is none": (more("[spending]\nmax_usd = inf\n"), ["spending.max_usd", "1000000", "found inf"]),
    "a cap of nothing": (more("[spending]\nmax_usd = 0.0\n"), ["spending.max_usd", "greater than 0"]),
    "yes as a word": (more('ties = "yes"\n'), ["judges[1].ties", "valid boolean", "found 'yes'"]),
    "no comparison at all": (
        manifest("[scale]", "max_comparisons = 0\n[scale]"),
        ["batch.max_comparisons", "greater than or equal to 1"],
    ),
    "no judge": ({"batch.toml": "[batch]\n"}, ["batch.toml", "no judge", "Add a [[judges]] section"]),
    "an empty list of judges": ({"batch.toml": "judges = []\n"}, ["no judge", "Add a [[judges]] section"]),
    "one pair of brackets": (manifest("[[judges]]", "[judges]"), ["judges is not written", "[[judges]]"]),
    "a scale as a word": ({"batch.toml": 'scale = "cefr"\n' + SECOND_JUDGE}, ["scale is not written", "[scale]"]),
    "a judge without a model": (manifest('model = "lexical"\n', ""), ["judges[1].model is missing", "Add it"]),
    "a judge's id with a blank": (manifest('"luna"', '"the moon"'), ["judges[1].id", "found 'the moon'"]),
    "a judge's id twice": (more(SECOND_JUDGE), ["judges: the id 'luna' stands twice", "its own"]),
    "a paid judge without a cap": ({"batch.toml": PAID}, ["a paid judge needs a cap", "max_usd = 5.00"]),
    "new essays wave by wave": (
        manifest("[scale]", 'mode = "per_request"\ntops_up = "spring"\n[scale]'),
        ["mode 'per_request'", "tops_up", 'Use mode = "provider_batch_api"'],
    ),
    "mirrored pairs wave by wave": (
        manifest("[scale]", 'mode = "serial_bundle"\n[pairing]\naudit_share = 0.1\n[scale]'),
        ["mode 'serial_bundle'", "audit_share", 'Use mode = "provider_batch_api"'],
    ),
    "a judge by hand wave by wave": (
        {"batch.toml": BY_HAND.replace("[batch]", '[batch]\nmode = "serial_bundle"')},
        ["mode 'serial_bundle'", "vllm judge without base_url"],
    ),
    "no such mode": (manifest("[scale]", 'mode = "batch"\n[scale]'), ["batch.mode", "'provider_batch_api'"]),
    "a paid judge of another provider": (manifest('"emulator"', '"anthropic"'), ["a paid judge needs a cap"]),
    "no such provider": (manifest('"emulator"', '"opneai"'), ["judges[1].provider", "'openai'", "found 'opneai'"]),
    # the scale
    "an unknown scale": (manifest(OWN_SCALE, '[scale]\nname = "cerf"\n'), ["batch.toml", "'cerf'", "cefr", "[scale]"]),
    "a scale of one grade": (manifest('"F", "E", "C", "A"', '"A"'), ["batch.toml", "at least two", "[scale]"]),
    "a grade twice on the scale": (manifest('"F", "E"', '"F", "F"'), ["batch.toml", "'F' twice", "[scale]"]),
    "a scale with a name and grades": (manifest("grades", 'name = "cefr"\ngrades'), ["scale: give either name"]),
    "an empty scale": (manifest('grades = ["F", "E", "C", "A"]\n', ""), ["scale: give either name"]),
    # which essays
    "no essays": ({"essays.csv": None}, ["no essays", "essays.csv", "essays/"]),
    "two sources of essays": ({"essays.jsonl": ONE}, ["essays.csv and essays.jsonl", "Keep one"]),
    "a file and a folder of essays": ({"essays/e1.txt": "One."}, ["essays.csv and essays", "Keep one"]),
    "one essay only": (
        {"essays.csv": "essay_id,text\ne1,One.\n", "anchors.csv": None},
        ["essays.csv", "1 essay", "needs two", "add essays"],
    ),
    "an empty file of essays": ({"essays.csv": ""}, ["essays.csv, row 1", "found nothing"]),
    "a folder of that name": ({"essays.csv": None, "essays.csv/e1.txt": "One."}, ["essays.csv", "cannot be read"]),
    "an id twice": (essays("e4,", "e2,"), ["essays.csv, row 5", "'e2' stands already in", "row 3", "Rename one"]),
    "an id twice, written in two ways": (
        {"essays.csv": f"essay_id,text\né,One.\n{DECOMPOSED},Two.\n", "anchors.csv": None},
        ["essays.csv, row 3", "'é' stands already in", "row 2"],
    ),
    "an id twice in a folder": (texts({"e1.txt": "One.", "e1.md": "Two."}), ["e1.txt", "stands already in", "e1.md"]),
    # ids
    "no id": (essays("e4,", ","), ["essays.csv, row 5", "no essay_id", "Fill it in"]),
    "an id with a slash": (essays("e4,", "5b/e4,"), ["essays.csv, row 5", "'5b/e4' holds '/'", "Use letters"]),
    "an id with a tabulator": (essays("e4,", "e\t4,"), ["essays.csv, row 5", "holds '\\t'", "Use letters"]),
    "an id with a control character": (essays("e4,", "e\x1b4,"), ["essays.csv, row 5", "\\x1b", "Use letters"]),
    "an id that begins with a dash": (
        essays("e4,", "-e4,"),
        ["essays.csv, row 5", "'-e4' holds '-'", "beginning with"],
    ),
    "an id of 121 characters": (essays("e4,", "e" * 121 + ","), ["row 5", "121 characters", "120 at most"]),
    # texts
    "an essay without text": (
        essays("Text number 4 says something.", "  "),
        ["row 5", "'e4' has no text", "Add the text"],
    ),
    "an empty file": (texts({"a.txt": "One.", "b.txt": ""}), ["b.txt", "'b' has no text", "remove the essay"]),
    "an essay of 200 pages": (
        essays("Text number 4", "word " * 60_000),
        ["essays.csv, row 5", "'e4'", "60,002 words", "10,000 at most", "max_words under [checks]"],
    ),
    "a csv in Latin-1": (
        {"essays.csv": "essay_id,text\ne1,One.\ne2,Ça va.\n".encode("latin-1")},
        ["essays.csv, line 3", "not UTF-8 (byte 0xc7)", "CSV UTF-8"],
    ),
    "a text in UTF-16": (texts({"a.txt": "One.", "b.txt": "Two.".encode("utf-16")}), ["b.txt, line 1", "not UTF-8"]),
    "a NUL": (essays("number 4", "number\x004"), ["essays.csv, line 5", "NUL", "export it again"]),
    "a picture among the texts": (
        texts({"a.txt": "One.", "b.txt": "Two.", "scan.pdf": b"%PDF"}),
        ["scan.pdf", "not a .docx, .txt or .md file", "a PDF holds a page", "move it out"],
    ),
    "a folder among the texts": (
        texts({"a.txt": "One.", "5b/c.txt": "Two."}),
        ["5b", "a folder; essays lie side by side", "move them up"],
    ),
    "a folder called like a text": (texts({"a.txt": "One.", "b.txt/c.txt": "Two."}), ["b.txt", "cannot be read"]),
    # csv
    "a comma outside of quotes": (
        essays("Text number 4 says", "Text, number 4, says"),
        ["essays.csv, row 5", "5 cells under 3 columns", "double quotes"],
    ),
    "a cell too few": (essays("e4,Text number 4 says something.,north", "e4"), ["row 5", "1 cells under 3 columns"]),
    "a quote that never ends": (essays("Text number 6", '"Text number 6'), ["essays.csv, line", "Check the quotes"]),
    "a quote in the middle": (essays("Text number 4 ", '"Text" number 4 '), ["essays.csv, line 5", "Check the quotes"]),
    "semicolons": ({"essays.csv": ESSAYS.replace(",", ";")}, ["row 1", "no column essay_id and text", "use commas"]),
    "another header": (essays("essay_id,text", "id,text"), ["row 1", "no column essay_id", "found id, text, school"]),
    "a column twice": (essays("school", "text"), ["essays.csv, row 1", "'text' stands twice", "Rename one"]),
    "a column of our own": (essays("school", "anchor_grade"), ["row 1", "'anchor_grade'", "Rename yours"]),
    # jsonl
    "a broken line": (jsonl(ONE, TWO[:-2]), ["essays.jsonl, row 2", "not a JSON object", "Correct the line"]),
    "a line that is a list": (jsonl(ONE, '["e2", "Two."]'), ["essays.jsonl, row 2", "a JSON list", "an object"]),
    "a line of a hundred thousand brackets": (jsonl(ONE, "[" * 100_000), ["row 2", "not a JSON object"]),
    "a number for an id": (jsonl(ONE, '{"essay_id": 2, "text": "x"}'), ["row 2", "essay_id is missing or no string"]),
    "null for a text": (jsonl(ONE, '{"essay_id": "e2", "text": null}'), ["row 2", "text is missing or no string"]),
    "half of an emoji": (jsonl(ONE, TWO.replace("Two.", "Two \\ud83d")), ["row 2", "\\ud83d", "Export"]),
    "half of an emoji in a group": (jsonl(ONE, TWO.replace("}", ', "a": "\\udc00"}')), ["row 2", "\\udc00", "Export"]),
    "an escaped NUL": (jsonl(ONE, TWO.replace("Two.", "Two\\u0000")), ["row 2", "\\u0000", "Export"]),
    "a key of our own": (jsonl(ONE, TWO.replace("}", ', "sha256": "x"}')), ["row 2", "'sha256'", "Rename yours"]),
    # grades
    "a grade not on the scale": (
        {"anchors.csv": ANCHORS + "e4,B\n"},
        ["anchors.csv, row 5", "the grade 'B' is not on the scale own", "Use one of: F, E, C, A"],
    ),
    "a grade left out": ({"anchors.csv": ANCHORS + "e4,\n"}, ["anchors.csv, row 5", "no grade", "remove the row"]),
    "an anchor without essay": (
        {"anchors.csv": ANCHORS + "e66,A\n"},
        ["anchors.csv, row 5", "there is no essay 'e66'", "Did you mean 'e6'?"],
    ),
    "an anchor like no essay": ({"anchors.csv": ANCHORS + "xyz,A\n"}, ["there is no essay 'xyz'", "Add its text"]),
    "an anchor twice": (
        {"anchors.csv": ANCHORS + "e1,A\n"},
        ["anchors.csv, row 5", "'e1' stands already", "Rename one"],
    ),
    "an anchor's known grade": (
        {"known_grades.csv": "essay_id,grade\ne4,A\ne3,A\n"},
        ["known_grades.csv", "'e3' is an anchor", "Leave it in one"],
    ),
    "a known grade of nobody": ({"known_grades.csv": "essay_id,grade\ne9,A\n"}, ["known_grades.csv, row 2", "'e9'"]),
    "anchors without a column": ({"anchors.csv": "essay_id,mark\ne1,A\n"}, ["anchors.csv, row 1", "no column grade"]),
    # what the judge is told
    "a rubric that is not UTF-8": ({"rubric.md": b"clair\n\xe9t\xe9"}, ["rubric.md, line 2", "not UTF-8"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_with_its_place_and_its_remedy(tmp_path: Path, mistake: str) -> None:
    changes, says = MISTAKES[mistake]
    with pytest.raises(BatchError) as refusal:
        read_batch(batch_with(tmp_path / "six-essays", changes))
    for said in says:
        assert said in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)
    assert len(str(refusal.value)) < 700


def test_a_message_never_quotes_an_essay(tmp_path: Path) -> None:
    secret = "My father is called Ohlsson"
    revealing: dict[str, Files] = {
        "long": {"essays.csv": f"essay_id,text\ne1,{secret} {'word ' * 20_000}\ne2,Two.\n"},
        "ragged": {"essays.csv": f"essay_id,text\ne1,{secret}, and he\ne2,Two.\n"},
        "nul": {"essays.csv": f"essay_id,text\ne1,{secret}\x00\ne2,Two.\n"},
        "line": {"essays.csv": None, "essays.jsonl": f'{{"essay_id": "e1", "text": "{secret}'},
    }
    for name, changes in revealing.items():
        with pytest.raises(BatchError) as refusal:
            read_batch(batch_with(tmp_path / name, changes))
        assert "Ohlsson" not in str(refusal.value)


@pytest.mark.parametrize("batch_id", ["", "5B", "a b", "a/b", "..", "x" * 65, "å"])
def test_a_bad_batch_id_is_refused_before_any_folder_is_looked_for(tmp_path: Path, batch_id: str) -> None:
    with pytest.raises(BatchError, match="use 1 to 64 of a-z, 0-9 and - ; rename the folder"):
        batch_folder(batch_id, [tmp_path])


def test_a_missing_batch_is_told_where_it_was_looked_for_and_what_is_near(tmp_path: Path) -> None:
    batch_with(tmp_path / "samples" / "spring-5b", {})
    roots = [tmp_path / "batches", tmp_path / "samples"]
    with pytest.raises(UnknownBatch, match="Did you mean 'spring-5b'") as refusal:
        batch_folder("spring-5c", roots)
    assert all(str(root / "spring-5c") in str(refusal.value) for root in roots)
    with pytest.raises(UnknownBatch, match="`cj new` makes one"):
        batch_folder("autumn", roots)


def test_a_batch_of_the_same_id_in_two_places_is_refused(tmp_path: Path) -> None:
    roots = [tmp_path / "batches", tmp_path / "samples"]
    for root in roots:
        batch_with(root / "spring", {})
    with pytest.raises(BatchError, match="Rename one of them") as refusal:
        batch_folder("spring", roots)
    assert all(str(root / "spring") in str(refusal.value) for root in roots)
    assert batch_ids(roots) == ["spring"]


def test_a_folder_without_a_manifest_is_no_batch(tmp_path: Path) -> None:
    write_files(tmp_path / "notes", {"essays.csv": ESSAYS})
    write_files(tmp_path / "spring", IN_ORDER)
    assert batch_ids([tmp_path, tmp_path / "nowhere"]) == ["spring"]
    assert batch_folder("spring", [tmp_path]) == tmp_path / "spring"
