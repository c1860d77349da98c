"""The risk service beside the model over HTTP; hostile requests; services that hang, lie or die.

Needs the optional extra `risk`: `make risk`.
"""

import json
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.desk.figures import number
from marginspec.desk.portfolios import MarginQuestion, OptionQuestion, wad
from marginspec.desk.service_run import SERVICES, Questions, answers, run
from marginspec.model.risk.legs import Leg
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.revaluation import Held, Moved, losses
from marginspec.targets.services.client import RISK, RiskService, ServiceNames, ServiceRefused, names_from, started

QUESTIONS = 240


@pytest.fixture(scope="module")
def service() -> Iterator[RiskService]:
    pytest.importorskip("QuantLib", reason="run `make risk`")
    pytest.importorskip("fastapi", reason="run `make risk`")
    with started() as running:
        yield running


def test_every_figure_is_within_its_tolerance(service: RiskService) -> None:
    done = run(service, Questions(11, QUESTIONS))
    assert done.off is None, done.off.line()
    assert done.questions == QUESTIONS
    assert done.rules.keys() >= {
        "OPT-4",
        "VAR-4",
        "VAR-6",
        "VAR-7",
        "SCN-1",
        "SCN-3",
        "SCN-5",
        "SCN-9",
        "SCN-13",
        "SCN-15",
    }


def test_a_thousand_options_in_ten_thousand_scenarios_are_those_of_the_model_on_a_sample() -> None:
    risk_service = pytest.importorskip("marginspec.targets.services.risk_service", reason="run `make risk`")
    np = pytest.importorskip("numpy")
    draw = np.random.default_rng(3)
    book = [
        risk_service.Holding(forward=100, strike=k, volatility=v, seconds=t, discount=0.99, amount=a, is_call=c)
        for k, v, t, a, c in zip(
            (100 * np.exp(draw.normal(0, 0.2, 1000))).round(2), draw.uniform(0.2, 1.2, 1000).round(4),
            draw.integers(3600, 10**7, 1000), draw.normal(0, 5, 1000).round(3), draw.random(1000) < 0.5, strict=True,
        )
    ]  # fmt: skip
    prices, volatilities = np.exp(draw.normal(0, 0.1, 10_000)).round(6), np.exp(draw.normal(0, 0.2, 10_000)).round(6)
    found = risk_service.losses_of(book, prices, volatilities)
    sample = [Moved(wad(prices[n]), wad(volatilities[n])) for n in (0, 4_567, 9_999)]
    held = [
        Held(Leg(wad(h.strike), wad(h.amount), h.is_call), 100 * WAD, wad(h.volatility), h.seconds, wad(0.99))
        for h in book
    ]
    for n, loss in zip((0, 4_567, 9_999), losses(held, sample), strict=True):
        assert found[n] == pytest.approx(loss / WAD, abs=1e-6)


def plant(tmp_path: Path, id: str) -> tuple[Path, list[str]]:
    (bug,) = [b for b in tomllib.loads(RISK.with_name("planted.toml").read_text())["bug"] if b["id"] == id]
    text = RISK.read_text()
    assert text.count(bug["find"]) == 1
    file = tmp_path / RISK.name
    file.write_text(text.replace(bug["find"], bug["replace"]))
    return file, bug["rules"]


@pytest.mark.parametrize("id", ["late-bound-scenario", "quantile-off-by-one", "puts-do-not-cover"])
def test_a_planted_bug_is_found_shrunk_and_named(service: RiskService, id: str, tmp_path: Path) -> None:
    file, rules = plant(tmp_path, id)
    with started(file) as altered:
        off = run(altered, Questions(1, 2000)).off
    assert off is not None
    assert off.figure.rule in rules
    if isinstance(off.question, MarginQuestion):
        assert len(off.question.scenarios) <= 2
    assert run(service, [off.question]).off is None


def test_planted_bugs_are_many_and_each_stands_once_in_its_service() -> None:
    bugs = tomllib.loads(RISK.with_name("planted.toml").read_text())["bug"]
    texts = {name: file.read_text() for name, (file, _) in SERVICES.items()}
    assert {name: sum(bug.get("service", "risk") == name for bug in bugs) >= 8 for name in SERVICES} == dict.fromkeys(
        SERVICES, True
    )
    wrong = [
        b["id"] for b in bugs if texts[b.get("service", "risk")].count(b["find"]) != 1 or b["find"] == b["replace"]
    ]
    assert wrong == []
    assert len({bug["id"] for bug in bugs}) == len(bugs)


OPTION = {"forward": 1, "strike": 1, "volatility": 1, "seconds": 1, "discount": 1}


@pytest.mark.parametrize(
    "body",
    [
        '{"options": [{"forward": NaN, "strike": 1, "volatility": 1, "seconds": 1}]}',
        '{"options": [{"forward": Infinity, "strike": 1, "volatility": 1, "seconds": 1}]}',
        '{"options": [{"forward": "NaN", "strike": 1, "volatility": 1, "seconds": 1}]}',
        '{"options": [{"forward": 1e999, "strike": 1, "volatility": 1, "seconds": 1}]}',
        *(json.dumps({"options": [OPTION | wrong]}) for wrong in (
            {"strike": 0}, {"forward": -1}, {"volatility": -1}, {"seconds": -1}, {"discount": 2}, {"more": 1},
        )),
        '{"options": 7}', "[]", "", "{", '{"options": [' + "[" * 2000,
    ],
)  # fmt: skip
def test_what_has_no_price_is_refused_and_the_service_goes_on(service: RiskService, body: str) -> None:
    answer = requests.post(service.url("/options"), data=body, headers={"content-type": "application/json"}, timeout=10)
    assert answer.status_code in (400, 422)
    assert service.ask("/health")["status"] == "ready"


@pytest.mark.parametrize(
    ("volatilities", "what"),
    [
        ((0.5, 0.5, 3), "a spread between two strikes"),
        ((0.5, 0.75, 0.5), "a butterfly"),
        ((0.3, 0.3, 0.3), "total variance"),
    ],
)
def test_a_surface_with_arbitrage_is_refused_and_says_where(
    service: RiskService, volatilities: tuple[float, ...], what: str
) -> None:
    def smile(seconds: int, values: tuple[float, ...]) -> dict[str, object]:
        return {"seconds": seconds, "forward": 100, "strikes": [90, 100, 110], "volatilities": values}

    whole = {"smiles": [smile(2_592_000, (0.5, 0.5, 0.5)), smile(2_600_000, volatilities)]}
    with pytest.raises(ServiceRefused, match=rf"smiles\[1\]: arbitrage: {what}"):
        service.ask("/surface", whole)
    assert service.ask("/surface", {"smiles": [smile(2_592_000, (0.5, 0.5, 0.5))]}) == {"arbitrage": False}


def test_parameters_that_are_missing_are_refused(service: RiskService) -> None:
    with pytest.raises(ServiceRefused):
        service.ask("/margin", {"portfolios": [{"cash": 1}]})
    with pytest.raises(ServiceRefused):
        service.ask("/tail", {"losses": [], "chance": 0.1})


def test_numbers_keep_all_their_decimals() -> None:
    assert number(-(WAD + 1)) == "-1.000000000000000001"
    assert number(WAD // 2) == "0.500000000000000000"


# --- Services that are none -----------------------------------------------------------------------------------------

Answer = Callable[[BaseHTTPRequestHandler], None]
ASKED = [OptionQuestion(WAD, WAD, WAD, 3600, WAD)]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], RiskService]]:
    servers = []

    def begin(answer: Answer, names: ServiceNames | None = None) -> RiskService:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return RiskService(f"http://127.0.0.1:{server.server_address[1]}", names, patience=1)

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()


def says(text: str, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


def hangs(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def trickles(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(40):
            handler.wfile.write(b" " * 70_000)
            time.sleep(0.1)
    except OSError:
        pass


NO_ANSWERS = {
    "no JSON": says("no JSON"),
    "too few": says('{"prices": []}'),
    "NaN": says('{"prices": [{"call": NaN, "put": 1}]}'),
    "too large a number": says('{"prices": [{"call": 1e999, "put": 1}]}'),
    "a truth value": says('{"prices": [{"call": true, "put": 1}]}'),
    "a text": says('{"prices": [{"call": "1", "put": 1}]}'),
    "no figure": says('{"prices": [{}]}'),
    "no object": says('{"prices": [7]}'),
    "too deep": says("[" * 100_000),
    "an error": says("{}", status=500),
    "a redirection": says("{}", status=302),
    "a refusal": says("{}", status=422),
    "it hangs": hangs,
    "it does not end": trickles,
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_what_is_no_answer_is_a_failure_of_the_target(serve: Callable[[Answer], RiskService], answer: Answer) -> None:
    done = run(serve(answer), ASKED)
    assert done.failed.startswith("the risk service") or done.failed.startswith("risk service")
    assert "\n" not in done.failed
    assert (done.questions, done.off) == (0, None)


def test_a_lie_is_a_difference(serve: Callable[[Answer], RiskService]) -> None:
    off = run(serve(says('{"prices": [{"call": 0.5, "put": 0.5}]}')), ASKED).off
    assert off is not None
    assert (off.figure.name, off.figure.rule) == ("call", "OPT-4")
    assert "the service 0.5" in off.line()


def test_a_service_that_is_not_there_or_does_not_start_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(TargetFailed, match="gave no answer"):
        answers(RiskService("http://127.0.0.1:9"), ASKED)
    dead = tmp_path / "dead.py"
    dead.write_text("raise SystemExit('no licence')")
    with pytest.raises(TargetFailed, match="no licence"), started(dead):
        pytest.fail("it started")
    with pytest.raises(BadInput, match="expected http"):
        RiskService("file:///etc/passwd")


def test_other_names_are_mapped(serve: Callable[..., RiskService], tmp_path: Path) -> None:
    file = tmp_path / "names.toml"
    file.write_text('[paths]\n"/options" = "/v2/price"\n[fields]\nprices = "values"\ncall = "c"\nput = "p"\n')
    asked = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        says('{"values": [{"c": 0.5, "p": 0.5}]}')(handler)

    (found,) = answers(serve(answer, names_from(file)), ASKED)
    assert (asked, found) == (["/v2/price"], {"call": 0.5, "put": 0.5})


@pytest.mark.parametrize("text", ["[", "[other]\n", "paths = 1\n", "[fields]\na = 1\n", '[fields]\na = "x"\nb = "x"\n'])
def test_a_mapping_that_is_none_is_bad_input(text: str, tmp_path: Path) -> None:
    file = tmp_path / "names.toml"
    file.write_text(text)
    with pytest.raises(BadInput, match="--names"):
        names_from(file)
