"""The package's files for Prometheus, by promtool of the older of Debian's two releases."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from etcd_ha.commands.defrag import FULL, MUCH

from builder.shipped import DEBIAN_TEMPLATE
from tests.support.command import CommandFailed, run
from tests.support.documents import find_how_to
from tests.support.releases.prometheus import prometheus_programs

EXAMPLES = DEBIAN_TEMPLATE / "examples"
RULES = EXAMPLES / "prometheus-rules.yml"
SCENARIOS = Path(__file__).with_name("prometheus-rules.test.yml")


def alerts() -> dict[str, dict[str, str]]:
    """Expression, annotations and the rest of each alert, by its name."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {
        rule["alert"]: {"expr": rule["expr"], **rule["annotations"], **rule["labels"]}
        for rule in group["rules"]
    }


@pytest.fixture
def promtool(tmp_path: Path) -> tuple[Path, Path]:
    """promtool, and a folder with the files as they are installed, and with the scenarios."""
    for path in (*EXAMPLES.glob("prometheus*.yml"), SCENARIOS):
        shutil.copy(path, tmp_path)
    return prometheus_programs() / "promtool", tmp_path


def test_promtool_accepts_configuration_and_rules(promtool: tuple[Path, Path]) -> None:
    program, folder = promtool
    said = run([program, "check", "config", folder / "prometheus.yml"]).stdout
    assert f"{len(alerts())} rules found" in said
    run([program, "check", "rules", "--lint-fatal", folder / RULES.name])


def test_each_alert_fires_in_its_scenario_and_no_other_does(promtool: tuple[Path, Path]) -> None:
    program, folder = promtool
    run([program, "test", "rules", folder / SCENARIOS.name])
    expected = set(re.findall(r'alertname="(\w+)"', SCENARIOS.read_text()))
    assert expected == set(alerts())
    # What can't fail proves nothing.
    rules = folder / RULES.name
    rules.write_text(rules.read_text().replace("> 0.8", "> 0.7"))
    with pytest.raises(CommandFailed, match="EtcdQuotaNearlyUsed"):
        run([program, "test", "rules", folder / SCENARIOS.name])


def test_alerts_and_defrag_have_the_same_rule() -> None:
    assert alerts()["EtcdQuotaNearlyUsed"]["expr"].endswith(f" > {FULL}")
    assert alerts()["EtcdDatabaseFragmented"]["expr"].endswith(f" > {MUCH}")
    for name in ("EtcdQuotaNearlyUsed", "EtcdDatabaseFragmented"):
        assert alerts()[name]["command"] == "etcd-ha defrag --if-needed"


def test_the_how_to_has_each_alert_with_its_command() -> None:
    text = find_how_to("monitor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (Etcd\w+) \| .* \| `(.*)` \|$", text, re.MULTILINE)
    assert dict(rows) == {name: alert["command"] for name, alert in alerts().items()}
