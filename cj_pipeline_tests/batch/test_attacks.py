"""Essays that speak to the judge: the plain cases are named, pupils are not, and a judge that obeys is moved."""

from benchmarks.attacks import LOOK_ALIKE, corpus, found, page, real_texts, shift
from cj_pipeline.batch.findings import speaks_to_a_judge


def test_the_plain_cases_are_named_and_harmless_sentences_are_not() -> None:
    shares = {kind: named / total for kind, (named, total) in found().items()}
    unseen = shares.pop("unseen")
    assert shares.pop(LOOK_ALIKE) <= 0.1
    assert shares.pop("real learner texts") == 0
    assert min(shares.values()) >= 0.9
    assert unseen < 1  # a list of phrases names what it lists


def test_an_attack_is_named_wherever_it_stands_in_a_text() -> None:
    text = real_texts()[0]
    half = len(text) // 2
    for line in corpus():
        if line.attack and line.kind != "unseen":
            assert speaks_to_a_judge(f"{text[:half]} {line.text} {text[half:]}"), line.text


def test_a_judge_that_obeys_is_moved_and_one_that_does_not_is_not() -> None:
    deaf, obeying = shift("latent:obeys=0"), shift("latent:obeys=0.9")
    assert abs(deaf.after - deaf.before) < 0.1
    assert obeying.after - obeying.before > 0.15


def test_the_page_in_the_docs_is_what_the_command_writes() -> None:
    from benchmarks.attacks import PAGE

    assert PAGE.read_text("utf-8") == page()
