"""Debian's archive as this machine's apt knows it, for suites other than the machine's own."""

import platform
from pathlib import Path

from tests.support.command import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# What a foreign root has to know to reach the same archive the same way.
INHERITED = ("Acquire::http::", "Acquire::https::", "Acquire::Check-", "Acquire::Retries")


class NoMirror(Exception):
    """apt of this machine has no source for Debian's main archive."""


def find_mirror() -> str:
    """The URI that apt of this machine takes its own suite's main component from."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    rows = run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)",
         "Created-By: Packages"]
    ).stdout.splitlines()  # fmt: skip
    for row in rows:
        release, _, rest = row.partition(" ")
        component, _, uri = rest.partition(" ")
        if component == "main" and release in {codename, "stable", "testing", "sid", "unstable"}:
            return uri
    raise NoMirror(
        f"expected a source of apt for {codename or 'Debian'} main, found none in:\n"
        + "\n".join(f"  {row}" for row in rows)
    )


def inherited_options() -> list[str]:
    """This machine's apt settings about reaching an archive (proxy, retries), in apt.conf's syntax."""
    lines = run(["apt-config", "dump"]).stdout.splitlines()
    return [line for line in lines if line.startswith(INHERITED) and not line.endswith('"";')]


def download_packages(suite: str, names: list[str], folder: Path) -> list[Path]:
    """The newest .deb of each name in a suite, fetched into `folder` by apt with a root of its own."""
    root = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial", "etc"):
        (root / part).mkdir(parents=True, exist_ok=True)
    (root / "status").touch()
    (root / "etc" / "sources.list").write_text(
        f"deb [arch=amd64 signed-by={KEYRING}] {find_mirror()} {suite} main\n"
    )
    apt = [
        "apt-get",
        "-qq",
        *("-o", f"Dir::Etc::sourcelist={root}/etc/sources.list"),
        *("-o", "Dir::Etc::sourceparts=/dev/null"),
        *("-o", "Dir::Etc::preferencesparts=/dev/null"),
        *("-o", "Dir::Etc::preferences=/dev/null"),
        *("-o", f"Dir::State={root}"),
        *("-o", f"Dir::State::status={root}/status"),
        *("-o", f"Dir::Cache={root}/cache"),
        *("-o", "APT::Architecture=amd64"),
        *("-o", "APT::Architectures=amd64"),
        *("-o", "APT::Sandbox::User="),
        *("-o", "Acquire::Languages=none"),
    ]
    run([*apt, "update"], cwd=folder)
    run([*apt, "download", *names], cwd=folder, within=600)
    return sorted(folder.glob("*.deb"))
