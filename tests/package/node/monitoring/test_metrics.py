"""Real etcd of each minor version, and Debian's Prometheus with the package's rules and dashboard."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from builder.shipped import DEBIAN_TEMPLATE
from tests.package.node.check.clusters import unpack
from tests.package.node.keeper.nodes import Node, planned, running, writing
from tests.package.node.monitoring.test_rules import EXAMPLES, alerts
from tests.support.clients.gateway import Gateway
from tests.support.command import run
from tests.support.documents import blocks, find_how_to
from tests.support.releases.loopback_etcd import free_ports
from tests.support.releases.prometheus import prometheus_programs
from tests.support.wait import wait_for

VERSIONS = ("3.5.35", "3.6.16", "3.7.3")
# Absent while all is well, or in a version: how each gets there is told in its alert.
NOT_IN_EACH = {"etcd_debugging_server_alarms"}
# Of Prometheus itself.
OWN = {"up"}
_FUNCTIONS = ("sum", "count", "max", "min", "rate", "increase", "histogram_quantile", "by")
QUOTA = 24 << 20


@pytest.fixture(scope="module", autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory) -> None:
    unpack(tmp_path_factory.mktemp("programs"), *VERSIONS)


def panels() -> dict[str, list[str]]:
    """The expressions of each panel of the dashboard."""
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    return {panel["title"]: [one["expr"] for one in panel["targets"]] for panel in dashboard["panels"]}


def metrics_in(expression: str) -> set[str]:
    """The names of metrics: words that are no function, no label and no value."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)|\b\d[\d.]*\b", " ", expression)
    return set(re.findall(r"[a-zA-Z_]\w*", bare)) - set(_FUNCTIONS)


def expressions() -> list[str]:
    return [
        *(alert["expr"] for alert in alerts().values()),
        *(one for them in panels().values() for one in them),
    ]


def with_metrics(nodes: Sequence[Node], **settings: str) -> list[Node]:
    """The nodes, each with the metrics of monitor.md."""
    return [
        replace(node, settings={**settings, "listen-metrics-urls": f"http://{node.address}:2381"})
        for node in nodes
    ]


def exported(node: Node) -> dict[str, set[str]]:
    """The labels of each metric of a member."""
    with urllib.request.urlopen(f"http://{node.address}:2381/metrics", timeout=5) as answer:
        rows = re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", answer.read().decode(), re.MULTILINE)
    found = dict[str, set[str]]()
    for name, labels in rows:
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_each_metric_of_the_rules_and_the_dashboard_is_one_that_etcd_exports(
    tmp_path: Path, version: str
) -> None:
    named = set().union(*map(metrics_in, expressions()))
    with running(with_metrics(planned(tmp_path, version, 2)), 2) as nodes:
        # Members measure their round trips now and then.
        wait_for(
            "the first one",
            lambda: "etcd_network_peer_round_trip_time_seconds_bucket" in exported(nodes[0]),
            within=60,
        )
        found = exported(nodes[0])
    assert len(named) > 15
    assert named - found.keys() - OWN - NOT_IN_EACH == set()
    # What Prometheus adds are job, instance and cluster.
    for metric, label in (
        ("grpc_server_handled_total", "grpc_code"), ("etcd_server_version", "server_version"),
        ("etcd_network_peer_round_trip_time_seconds_bucket", "To"),
    ):  # fmt: skip
        assert label in found[metric]


def fill(node: Node) -> None:
    """Until writes are refused, three times."""
    gateway = Gateway(node.url, 10)
    refused = 0
    for number in range(600):
        refused += not gateway.put(f"fill/{number % 4}", "x" * (1 << 18))
        if refused == 3:
            break
    gateway.close()
    assert refused == 3


def alarm_metrics(node: Node) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{node.address}:2381/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found = re.findall(r'^etcd_debugging_server_alarms\{alarm_type="(\w+)".*\} (\S+)$', text, re.MULTILINE)
    return {kind: float(value) for kind, value in found}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_alarm_is_not_what_its_metric_says_and_a_refused_write_is_counted(
    tmp_path: Path, version: str
) -> None:
    """Why EtcdRefusesWrites counts refused requests; a version that mends the metric fails here."""
    only = with_metrics(planned(tmp_path, version, 1), **{"quota-backend-bytes": str(QUOTA)})
    with running(only, 1) as (node,):
        fill(node)
        with urllib.request.urlopen(f"http://{node.address}:2381/metrics", timeout=5) as answer:
            said = answer.read().decode()
        refused = re.findall(
            r'^grpc_server_handled_total\{grpc_code="ResourceExhausted".*\} ([1-9]\d*)$', said, re.M
        )
        assert sum(map(int, refused)) >= 3
        done = node.tool("defrag", "--yes")
        assert done.returncode == 0, done.stdout
        assert node.etcdctl("alarm", "list") == ""
        assert (alarm_metrics(node).get("NOSPACE", 0.0) > 0) == (version != "3.5.35")
        assert (version == "3.5.35") == (alarm_metrics(node) == {})


@dataclass(frozen=True)
class Prometheus:
    """One that runs on loopback. folder: in the place of /etc/prometheus."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def ask(self, expression: str) -> list[dict[str, object]]:
        """The rows of a query; an expression that is none raises HTTPError."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=5) as answer:  # noqa: S310
            found: list[dict[str, object]] = json.load(answer)["data"]["result"]
        return found

    def alerts(self) -> set[str]:
        """Those that are pending or fire."""
        with urllib.request.urlopen(f"{self.url}/api/v1/alerts", timeout=5) as answer:  # noqa: S310
            return {one["labels"]["alertname"] for one in json.load(answer)["data"]["alerts"]}

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):  # noqa: S310
                return True
        except OSError:
            return False


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    """As Debian runs it, with a configuration of nothing, and systemctl that reloads it."""
    folder = tmp_path / "prometheus"
    (folder / "bin").mkdir(parents=True)
    (folder / "prometheus.yml").write_text("{}\n")
    (port,) = free_ports(1)
    programs = prometheus_programs()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log,
        )  # fmt: skip
    (folder / "bin/systemctl").write_text(
        f'#!/bin/sh\ntest "$*" = "reload prometheus" && kill -HUP {process.pid}\n'
    )
    (folder / "bin/systemctl").chmod(0o755)
    (folder / "bin/promtool").symlink_to(programs / "promtool")
    found = Prometheus(f"http://127.0.0.1:{port}", folder, process)
    try:
        wait_for("Prometheus to be ready", found.is_ready, within=30)
        yield found
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_prometheus_by_the_how_to_sees_a_member_that_is_lost_and_draws_each_panel(
    tmp_path: Path, prometheus: Prometheus
) -> None:
    steps = [one for one in blocks(find_how_to("monitor.md")) if one.heading.startswith("Set up Prometheus")]
    copy, reload, look, tls = (one.text for one in steps)
    with running(with_metrics(planned(tmp_path, "3.6.16", 3)), 3) as nodes:

        def type_in(text: str) -> str:
            for there, here in (
                ("scp pg1:/usr/share/doc/etcd-ha/examples", f"cp {EXAMPLES}"),
                ("/etc/prometheus", str(prometheus.folder)), ("http://localhost:9090", prometheus.url),
            ):  # fmt: skip
                text = text.replace(there, here)
            path = f"{prometheus.folder}/bin:{os.environ['PATH']}"
            return run(["sh", "-ec", text], env={"PATH": path}).stdout

        type_in(copy)
        file = prometheus.folder / "prometheus.yml"
        # Its own addresses, as the text says; a test has less time.
        for number, node in enumerate(nodes):
            file.write_text(file.read_text().replace(f"192.168.6.1{number}:", f"{node.address}:"))
        file.write_text(file.read_text().replace(": 15s", ": 1s"))
        type_in(reload)
        wait_for("all members to be seen", lambda: type_in(look).count("=> 1 ") == 3, within=30)

        def drawn() -> dict[str, list[str]]:
            filled = {"$cluster": "patroni_cluster", "$__rate_interval": "1m", "$__range": "15m"}
            found = dict[str, list[str]]()
            for title, queries in panels().items():
                for query in queries:
                    for name, value in filled.items():
                        query = query.replace(name, value)
                    if not prometheus.ask(query):
                        found.setdefault(title, []).append(query)
            return found

        with writing(nodes):
            wait_for("each panel to have values", lambda: drawn() == {}, within=60)
        wait_for("each rule to be evaluated", lambda: prometheus.alerts() == set(), within=5)
        nodes[2].stop()
        wait_for("the alert", lambda: prometheus.alerts() == {"EtcdMemberDown"}, within=20)
        nodes[1].stop()
        wait_for(
            "what is worse",
            lambda: prometheus.alerts() >= {"EtcdMemberDown", "EtcdNoQuorum", "EtcdNoLeader"},
            within=40,
        )
    job = yaml.safe_load(file.read_text())
    job["scrape_configs"][0] |= yaml.safe_load(tls)
    shutil.copy(DEBIAN_TEMPLATE / "examples/prometheus-rules.yml", tmp_path)
    for name in ("ca.crt", "client.crt", "client.key"):
        (tmp_path / name).touch()
    (tmp_path / "tls.yml").write_text(yaml.safe_dump(job).replace("/etc/prometheus/etcd", str(tmp_path)))
    run([prometheus.folder / "bin/promtool", "check", "config", "--syntax-only", tmp_path / "tls.yml"])


def test_the_panels_lie_side_by_side() -> None:
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)
    assert {one["name"] for one in dashboard["templating"]["list"]} == {"datasource", "cluster"}
