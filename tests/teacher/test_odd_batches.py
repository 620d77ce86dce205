"""Batch endpoints that lag, forget, mangle or differ as Azure does: nothing is paid twice and nothing paid is lost."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import TeacherError
from pipeline.teacher.batches import Jobs, calls, lane, service
from pipeline.teacher.endpoint import Address
from pipeline.teacher.ledger import Cost, Ledger
from pipeline.teacher.speech import Speech
from tests.teacher.batching import BatchEndpoint, good, result
from tests.teacher.scripted import completion
from tests.teacher.test_batches import KEY, Runs, asked

THREE = [asked(number) for number in range(3)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(service, "LOOKS", (0.01, 0.01))
    monkeypatch.setattr(calls, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(service, "READY_PAUSE", 0.01)


def unclaimed(folder) -> list[dict]:
    return [json.loads(line) for path in folder.glob("unclaimed-*.jsonl") for line in path.open("rb")]


class TestACreationNobodyHeardOf:
    """The batch may exist, and whoever sends it again may pay twice."""

    @pytest.mark.parametrize("nameless", [False, True])
    def test_it_is_found_in_the_list_by_its_name_or_by_its_file(self, tmp_path, nameless):
        with BatchEndpoint(drop_creation=1, nameless=nameless) as server:
            runs = Runs(tmp_path, server.url)
            runs.until_all_in(THREE)
        assert server.count("POST", "/batches") == 1
        assert runs.spent().requests == 3

    @pytest.mark.parametrize("list_state", ["unlisted", "listless"])
    def test_while_the_list_lags_or_is_not_to_be_had_it_is_not_asked_for_again(self, tmp_path, list_state):
        with BatchEndpoint(drop_creation=1, **{list_state: True}) as server:
            runs = Runs(tmp_path, server.url)
            with pytest.raises(TeacherError, match="whether the batch was created is not known"):
                runs.once(THREE)
            assert runs.waiting() == 3
            runs.clock.now += 60
            if list_state == "unlisted":
                runs.once(THREE)
                assert "not known yet" in runs.said[-1]
            else:
                with pytest.raises(TeacherError, match="Resource not found"):
                    runs.once(THREE)
            server.odd[list_state] = False
            runs.until_all_in(THREE)
            assert server.count("POST", "/batches") == 1
        assert runs.spent().requests == 3

    def test_one_that_stands_in_no_list_long_after_is_sent_again(self, tmp_path):
        with BatchEndpoint(drop_creation=1, unlisted=True) as server:
            runs = Runs(tmp_path, server.url)
            with pytest.raises(TeacherError):
                runs.once(THREE)
            server.batches.clear()
            runs.clock.now += lane.LISTED_WITHIN + 1
            runs.until_all_in(THREE)
            assert server.count("POST", "/batches") == 2
            assert server.count("DELETE", "/files/file-1") == 1, "what was uploaded for the first is of no use"

    @pytest.mark.parametrize("years", [-10, 10])
    def test_a_wrong_clock_does_not_hide_it(self, tmp_path, years):
        with BatchEndpoint(drop_creation=1, created_at=1_800_000_000 + years * 31_536_000, unlisted=True) as server:
            runs = Runs(tmp_path, server.url)
            with pytest.raises(TeacherError):
                runs.once(THREE)
            server.odd["unlisted"] = False
            runs.clock.now -= years * 31_536_000
            runs.until_all_in(THREE)
            assert server.count("POST", "/batches") == 1


class TestWhatIsNobodys:
    """Results that are no reply of ours are kept word for word: somebody may have paid for them."""

    def test_results_under_an_unknown_name_are_kept_and_the_requests_stay_charged(self, tmp_path):
        def renamed(lines):
            return [line.replace(b'"custom_id": "', b'"custom_id": "req-') for line in good(lines)]

        with BatchEndpoint(renamed) as server:
            runs = Runs(tmp_path, server.url)
            runs.once(THREE)
            runs.once()
        assert [line["custom_id"] for line in unclaimed(tmp_path)] == [f"req-{one.key}" for one in THREE]
        assert any("are kept in" in line and "unclaimed-" in line for line in runs.said)
        assert (runs.waiting(), runs.spent().requests) == (0, 3)

    def test_a_line_that_is_no_result_and_a_body_that_is_no_completion_are_kept(self, tmp_path):
        def odd(lines):
            first, second, _ = (line["custom_id"] for line in lines)
            return [b"{broken", result(second, {"object": "text"}), *good(lines)[2:], result(first, None)]

        with BatchEndpoint(odd) as server:
            runs = Runs(tmp_path, server.url)
            runs.once(THREE)
            runs.once()
        (path,) = tmp_path.glob("unclaimed-*.jsonl")
        kept = path.read_bytes().splitlines()
        assert kept[0] == b"{broken"
        assert sorted(json.loads(line)["custom_id"] for line in kept[1:]) == sorted(one.key for one in THREE[:2])

    def test_a_batch_of_nothing_odd_leaves_no_such_file(self, tmp_path):
        with BatchEndpoint() as server:
            Runs(tmp_path, server.url).until_all_in(THREE)
        assert not list(tmp_path.glob("*unclaimed*"))

    def test_a_collection_that_is_repeated_after_a_kill_keeps_each_line_once(self, tmp_path):
        with BatchEndpoint(lambda lines: [b"{broken", *good(lines)]) as server:
            runs = Runs(tmp_path, server.url)
            runs.once(THREE)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(lane.Jobs, "end", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
                with pytest.raises(KeyboardInterrupt):
                    runs.once()
            runs.once()
            (path,) = tmp_path.glob("unclaimed-*.jsonl")
            assert path.read_bytes() == b"{broken\n"
        assert runs.spent().requests == 3


class TestUploadedFiles:
    def test_they_are_deleted_when_their_batch_has_ended_and_the_results_are_not(self, tmp_path):
        with BatchEndpoint() as server:
            Runs(tmp_path, server.url).until_all_in(THREE)
            assert list(server.files) == ["batch_1-output"]

    def test_one_whose_batch_was_refused_is_deleted_at_once(self, tmp_path):
        with BatchEndpoint(refuse_creation=True) as server:
            with pytest.raises(TeacherError, match="no batches for you"):
                Runs(tmp_path, server.url).once(THREE)
            assert not server.files

    def test_an_endpoint_that_deletes_nothing_is_told_of_and_stops_nothing(self, tmp_path):
        with BatchEndpoint(keeps_files=True) as server:
            runs = Runs(tmp_path, server.url)
            runs.until_all_in(THREE)
        assert "the uploaded file file-1 stays at the endpoint" in runs.said[-1]
        assert runs.waiting() == 0


class TestAzure:
    """What differs there: where files and batches are, the key's header, the path in each line, files that are not
    ready at once, an empty name for a file that is not there, and no promise of an end."""

    @pytest.fixture
    def azure(self, monkeypatch):
        """A resource whose name leads, through the proxy of the environment, to a server on this machine."""
        with BatchEndpoint(unready=3, no_file="") as server:
            monkeypatch.setenv("http_proxy", server.root)
            yield server

    @pytest.mark.parametrize(
        ("path", "root"),
        [("/openai/deployments/d?api-version=2024-10-21", "/openai"), ("/openai/v1", "/openai/v1")],
    )
    def test_a_batch_is_sent_and_collected_there(self, tmp_path, azure, path, root):
        runs = Runs(tmp_path, f"http://res.openai.azure.com{path}")
        runs.until_all_in(THREE)
        query = "?api-version=2024-10-21" if "?" in path else ""
        here = f"http://res.openai.azure.com{root}"
        assert azure.calls[:5] == [("POST", f"{here}/files{query}")] + [("GET", f"{here}/files/file-1{query}")] * 3 + [
            ("POST", f"{here}/batches{query}")
        ]
        assert all(headers["api-key"] == KEY and "authorization" not in headers for headers in azure.headers)
        assert azure.batches["batch_1"]["endpoint"] == "/chat/completions"
        assert runs.spent().requests == 3

    def test_each_line_is_addressed_as_azure_wants_it(self, tmp_path, azure):
        seen = []
        azure.results = lambda lines: seen.extend(lines) or good(lines)
        Runs(tmp_path, "http://res.openai.azure.com/openai/deployments/d?api-version=1").once(THREE)
        assert {line["url"] for line in seen} == {"/chat/completions"}

    def test_a_file_that_is_refused_ends_the_run_and_reserves_nothing(self, tmp_path):
        with BatchEndpoint(file_state="error", details="invalid JSONL") as server:
            runs = Runs(tmp_path, server.url)
            with pytest.raises(TeacherError, match="is error: invalid JSONL"):
                runs.once(THREE)
        assert (runs.waiting(), runs.spent().requests) == (0, 0)

    def test_elsewhere_a_path_with_deployments_in_it_is_left_as_it_is(self):
        assert Address("m", "http://here/deployments/d", "k").batches_url == "http://here/deployments/d"


def test_a_batch_that_failed_half_way_is_harvested(tmp_path):
    with BatchEndpoint(lambda lines: good(lines)[:1], batch={"status": "FAILED"}) as server:
        runs = Runs(tmp_path, server.url)
        runs.once(THREE)
        runs.once()
    assert "failed: 1 replies, 2 batch_missing" in runs.said[-1]
    assert runs.spent().requests == 3


def test_a_batch_that_does_not_end_is_told_of_once_its_window_is_over(tmp_path):
    with BatchEndpoint(batch={"status": "in_progress"}) as server:
        runs = Runs(tmp_path, server.url)
        runs.once(THREE)
        runs.once(THREE)
        assert not runs.said
        runs.clock.now += lane.WINDOW_SECONDS + 3600
        runs.once(THREE)
    assert "batch_1 is in_progress after 49 hours; cancel it at the endpoint" in runs.said[-1]
    assert runs.waiting() == 3


def test_one_batch_that_cannot_be_had_keeps_no_other_from_being_collected(tmp_path):
    with BatchEndpoint() as server:
        runs = Runs(tmp_path, server.url)
        with Ledger(tmp_path, runs.clock) as ledger:
            jobs = Jobs(ledger)
            elsewhere = jobs.begin(server.url, Speech().written(), [asked(9)], [Cost(9, 9.0)])
            jobs.created(elsewhere, "batch_of_another_account")
        with pytest.raises(TeacherError, match="whose key made it"):
            runs.once(THREE)
        with Ledger(tmp_path, runs.clock) as ledger:
            own = Jobs(ledger).begin(server.url, Speech().written(), THREE, [Cost(9, 9.0)] * 3)
            server.files["own-output"] = b"\n".join(good([{"custom_id": one.key} for one in THREE]))
            server.batches["own"] = {"id": "own", "status": "completed", "output_file_id": "own-output"}
            Jobs(ledger).created(own, "own")
        with pytest.raises(TeacherError, match="whose key made it"):
            runs.once(THREE)
        assert all(runs.body(one) for one in THREE)
        assert runs.waiting() == 1


def test_the_key_stands_in_a_header_and_in_no_file_that_is_uploaded(tmp_path):
    with BatchEndpoint() as server:
        Runs(tmp_path, server.url).once(THREE)
        assert all(headers["authorization"] == f"Bearer {KEY}" for headers in server.headers)
        assert not any(KEY.encode() in content for content in server.files.values())


def test_a_key_that_a_batch_quotes_is_written_nowhere(tmp_path):
    def quoting(lines):
        first, second, _ = (line["custom_id"] for line in lines)
        body = json.loads(completion(f"your key is {KEY}").body)
        return [
            result(first, body),
            result(second, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, 429),
            b"{broken " + KEY.encode(),
            result("stranger", KEY),
        ]

    with BatchEndpoint(quoting) as server:
        runs = Runs(tmp_path, server.url)
        runs.once(THREE)
        runs.once()
        assert runs.body(THREE[0]).count("[key]") == 1
        server.results = good
        server.odd["batch"] = {
            "status": "failed",
            "output_file_id": None,
            "errors": {"object": "list", "data": [{"code": "x", "message": f"bad key {KEY}"}]},
        }
        runs.once(THREE)
        with pytest.raises(TeacherError, match=r"bad key \[key\]") as refused:
            runs.once(THREE)
    assert KEY not in "".join([*runs.said, str(refused.value)])
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
