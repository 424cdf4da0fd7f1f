"""The server and the textfile: what they refuse, and that nobody ever meets half of anything."""

import socket
import sqlite3
import threading
import urllib.error
import urllib.request

import pytest

from cj_pipeline.metrics import write_metrics
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import judged
from cj_pipeline_tests.metrics.scraping import Scrape, command, scraped_once, serving


def test_a_taken_port_is_refused_with_the_way_on(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = command(installation, "serve", "--port", port)
    assert refused.returncode == 2
    assert f"127.0.0.1:{port}: Address already in use. Choose another address or port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_ledger_that_cannot_be_read_fails_the_scrape(installation: Installation) -> None:
    with serving(installation) as url:
        with sqlite3.connect(installation.folder / "ledger.sqlite") as ledger:
            ledger.execute("drop table tallies")
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(url, timeout=30)
    assert failed.value.code == 500


def test_the_textfile_holds_the_scrape(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    folder = installation.folder / "textfiles"
    folder.mkdir()
    written = command(installation, "write", str(folder / "cj.prom"))
    assert written.returncode == 0, written.stderr
    assert [path.name for path in folder.iterdir()] == ["cj.prom"]
    assert Scrape.of((folder / "cj.prom").read_text("utf-8")).text == scraped_once(installation).text


def test_a_reader_of_the_textfile_never_meets_half_of_it(installation: Installation) -> None:
    path = installation.folder / "cj.prom"
    deployment = installation.deployment
    write_metrics(deployment, path)
    whole, done, halves = path.read_text("utf-8"), threading.Event(), []

    def look() -> None:
        while not done.is_set():
            text = path.read_text("utf-8")
            if text != whole:
                halves.append(len(text))

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20):
        write_metrics(deployment, path)
    done.set()
    reader.join()
    assert halves == []


def test_a_textfile_in_a_folder_that_is_not_there_is_a_mistake_with_its_name(installation: Installation) -> None:
    refused = command(installation, "write", str(installation.folder / "nowhere/cj.prom"))
    assert refused.returncode == 2
    assert "nowhere/cj.prom: cannot be written: No such file or directory" in refused.stderr.replace("\n", "")
