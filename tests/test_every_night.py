"""docs/every-night.md is true: a real cron fires its lines, and systemd and logrotate take what it shows them."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from pipeline import errors
from pipeline.cli import app
from pipeline.funnel import Funnel
from pipeline.runlog.facts import NEVER_ENDED, Cost, End, Facts, Stage, ending
from pipeline.runlog.metrics import metrics
from pipeline.teacher.spending import Charge, Spending
from tests.conftest import ROOT
from tests.test_run_records import QUICK
from tests.victims import make_workspace

PAGE = (ROOT / "docs" / "every-night.md").read_text(encoding="utf-8")
COURSEWORK = Path(sys.executable).with_name("coursework")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_every_option_of_the_page_exists():
    known = "".join(CliRunner().invoke(app, [verb, "--help"]).stdout for verb in ("run", "status", "read", "rehearse"))
    named = set(re.findall(r"(?<=[ `])--[a-z-]+", PAGE)) - {"--now", "--collector"}
    assert {"--quiet", "--json", "--metrics", "--notify", "--deadline"} <= named
    assert {name for name in named if name not in known} == set()


def causes_in_the_source() -> dict[str, int]:
    """Every word for a cause that an error is given, with its exit code, so that the page can forget none."""
    kinds = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.CourseworkError)
    }
    found = {kind.cause: kind.exit_code for kind in kinds.values()}
    for path in sorted([*(ROOT / "pipeline").rglob("*.py"), *(ROOT / "train").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name in kinds:
                given = [one.value for one in node.keywords if one.arg == "cause"]
                words = [leaf.value for one in given for leaf in ast.walk(one) if isinstance(leaf, ast.Constant)]
                found |= dict.fromkeys(words, kinds[name].exit_code)
            elif name == "Stop" and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
                found.setdefault(node.args[1].value, errors.TryAgainLater.exit_code)
    return found


def test_the_page_says_what_to_do_about_every_cause_of_an_end():
    table = {
        cause: int(code)
        for code, causes in re.findall(r"^\| (\d+) \| (`.*?`) \|", PAGE, re.MULTILINE)
        for cause in re.findall(r"`(\w+)`", causes)
    }
    began = Facts(began=datetime.now(UTC))
    well = {
        ending(facts, None).cause: 0
        for facts in (
            began,
            began.model_copy(update={"changed": True}),
            began.model_copy(update={"waiting": 1}),
        )
    }
    assert table == causes_in_the_source() | well
    assert f"`{NEVER_ENDED}`" in PAGE


def test_the_alerts_of_the_page_look_at_metrics_that_exist():
    charge = Charge(requests=1, tokens=1, usd=1.0)
    facts = Facts(
        recipe="tiny",
        began=datetime.now(UTC),
        ended=datetime.now(UTC),
        end=End(code=0, cause="done"),
        stages=[Stage(name="teacher", seconds=1)],
        funnel=Funnel(1, 1, 1),
        cost=Cost(replies=charge, lost=Charge(), account=Spending(replies=charge, today=charge)),
        budget={"day": {"usd": 5.0}},
    )
    families = text_string_to_metric_families(metrics(facts, facts.ended).decode())
    written = {sample.name for family in families for sample in family.samples}
    (rules,) = blocks("yaml")
    named = set(re.findall(r"coursework_\w+", rules))
    assert named and named <= written
    for name in written:  # the conventions: a unit where there is one, and a counter says _total
        assert re.fullmatch(r"coursework_[a-z_]+", name)
        assert not name.endswith(("_ms", "_minutes", "_count"))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units_of_the_page(tmp_path):
    (workspace := tmp_path / "srv").mkdir()
    for unit in blocks("ini"):
        name = re.match(r"# /etc/systemd/system/(\S+)", unit)[1]
        here = unit.replace("/srv/coursework/.venv/bin/coursework", str(COURSEWORK))
        (tmp_path / name).write_text(here.replace("/srv/coursework", str(workspace)))
    units = [str(tmp_path / "coursework@.service"), str(tmp_path / "coursework@.timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60, check=False
    )
    said = [line for line in done.stderr.splitlines() if "coursework" in line]
    assert (done.returncode, said) == (0, []), done.stderr
    calendar = re.search(r"OnCalendar=(.+)", (tmp_path / "coursework@.timer").read_text())[1]
    subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, timeout=60, check=True)


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="logrotate is not installed")
def test_logrotate_rotates_as_the_page_says(tmp_path):
    (rules,) = blocks("logrotate")
    log = tmp_path / "coursework.log"
    (tmp_path / "rules").write_text(rules.replace("/var/log/coursework.log", str(log)))
    for night in range(3):
        log.write_text(f"night {night}\n")
        command = ["logrotate", "--force", "--state", str(tmp_path / "state"), str(tmp_path / "rules")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "coursework.log.1").read_text() == "night 2\n"
    assert (tmp_path / "coursework.log.2.gz").exists() and not log.exists()


MAILBOX = """#!/bin/sh
cat > "{folder}/mail.$$"
"""
IN_A_WORLD_OF_ITS_OWN = """
set -e
mount --make-rprivate /
mkdir -p {base}/up
mount -t tmpfs none /run
mount -t tmpfs none /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
mount -t tmpfs none {base}/up && mkdir {base}/up/upper {base}/up/work
mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir={base}/up/upper,workdir={base}/up/work /usr/sbin
cp {base}/sendmail /usr/sbin/sendmail && chmod 755 /usr/sbin/sendmail
cp {base}/crontab /var/spool/cron/crontabs/root && chmod 600 /var/spool/cron/crontabs/root
exec cron -f
"""


def can_have_a_world_of_its_own(base: Path) -> bool:
    """Its own crontabs and mailer, seen by nobody else: what this machine's cron does at night is not touched."""
    trial = IN_A_WORLD_OF_ITS_OWN.format(base=base).replace("exec cron -f", "umount /usr/sbin")
    (base / "crontab").write_text("")
    (base / "sendmail").write_text("")
    command = ["unshare", "--mount", "sh", "-c", trial]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cron") is None, reason="Debian's cron is not installed")
@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare to give cron crontabs of its own")
def test_cron_fires_the_line_of_the_page_twice_and_mails_only_trouble(tmp_path):
    workspace = make_workspace(tmp_path / "srv", QUICK)
    shutil.copy(workspace / "recipes" / "tiny.yaml", workspace / "recipes" / "communication.yaml")
    (workspace / "recipes" / "wrong.yaml").write_text(QUICK.replace("name: tiny", "name: wrong") + "nonsense: 1\n")
    base = tmp_path / "base"
    base.mkdir()
    if not can_have_a_world_of_its_own(base):
        pytest.skip("this user may not mount, so cron cannot be given crontabs of its own")
    line = blocks("cron")[0].replace("30 2 * * *", "* * * * *").replace("/srv/coursework", str(workspace))
    line = line.replace(".venv/bin/coursework", str(COURSEWORK)).replace("05:30", "5m")
    wrong = line.splitlines()[-1].replace("communication", "wrong")
    (base / "crontab").write_text(f"{line}{wrong}\n")
    (base / "sendmail").write_text(MAILBOX.format(folder=base))
    command = ["unshare", "--mount", "sh", "-c", IN_A_WORLD_OF_ITS_OWN.format(base=base)]
    cron = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 240
        while time.monotonic() < until and not (len(ended(workspace, "tiny")) >= 2 and len(mails(base)) >= 2):
            assert cron.poll() is None, cron.stderr.read()
            time.sleep(1)
    finally:
        cron.terminate()
        cron.wait(30)
    first, second = ended(workspace, "tiny")[:2]
    assert [first["end"]["cause"], second["end"]["cause"]] == ["done", "nothing_new"]
    assert (second["previous"], second["cost"]["replies"]["requests"]) == (first["run"], 0)
    assert first["began"][:16] != second["began"][:16]
    for mail in mails(base):
        _, body = mail.split("\n\n", 1)
        assert body.startswith("coursework: recipes/wrong.yaml:6: nonsense: is not a field.")
        assert body.count("\n") == 1
        assert re.search(r"^To: you@example.com$", mail, re.MULTILINE)


def ended(workspace: Path, name: str) -> list[dict]:
    files = sorted((workspace / "outputs" / name / "runs").glob("*.json"))
    return [one for one in (json.loads(path.read_text()) for path in files) if one["end"]]


def mails(base: Path) -> list[str]:
    return [text for path in sorted(base.glob("mail.*")) if (text := path.read_text()).endswith("\n")]
