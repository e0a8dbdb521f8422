"""Every path in the package with its mode; a file more or less is a decision, made here."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from debian.changelog import ChangeBlock, Changelog
from debian.debfile import DebFile

from builder.deb.repack import members
from builder.inspection.members import expected_members
from tests.package.conftest import DYNAMIC, STATIC
from tests.package.deb import CONTROL, DATA, Deb
from tests.support.releases import releases
from tests.support.upload import Upload
from tests.unit import samples

NODE = Path(__file__).resolve().parents[3] / "debian-template/node"
# Folders of the source by the place where the package has their files.
SHIPPED = {"usr/lib/etcd-ha/lib": NODE / "lib", "usr/share/etcd-ha/etcd_ha": NODE / "etcd_ha"}
# The newest release without etcdutl that the registries hold.
WITHOUT_ETCDUTL = "3.4.23"
ETCDUTL = (
    "0755 usr/lib/etcd-ha/bin/etcdutl",
    "0644 usr/share/bash-completion/completions/etcdutl",
    "0644 usr/share/fish/vendor_completions.d/etcdutl.fish",
    "0644 usr/share/man/man1/etcdutl.1.gz",
    "0644 usr/share/zsh/vendor-completions/_etcdutl",
)
FILES = """
0644 etc/apt/apt.conf.d/80etcd-ha
0644 etc/needrestart/conf.d/etcd-ha.conf
0755 usr/lib/etcd-ha/auth
0755 usr/lib/etcd-ha/backup
0755 usr/lib/etcd-ha/bin/etcd
0755 usr/lib/etcd-ha/bin/etcdctl
0755 usr/lib/etcd-ha/check
0755 usr/lib/etcd-ha/client/etcdctl
0755 usr/lib/etcd-ha/config
0755 usr/lib/etcd-ha/defrag
0755 usr/lib/etcd-ha/downgrade
0755 usr/lib/etcd-ha/in-turn
0755 usr/lib/etcd-ha/join
0755 usr/lib/etcd-ha/leave
0644 usr/lib/etcd-ha/lib/sandbox-follow.sh
0755 usr/lib/etcd-ha/migrate
0755 usr/lib/etcd-ha/preflight
0755 usr/lib/etcd-ha/reset
0755 usr/lib/etcd-ha/restart
0755 usr/lib/etcd-ha/restore
0755 usr/lib/etcd-ha/status
0755 usr/lib/etcd-ha/tls
0755 usr/lib/systemd/system-generators/etcd-ha
0644 usr/lib/systemd/system/etcd-ha-backup.service
0644 usr/lib/systemd/system/etcd-ha-backup.timer
0644 usr/lib/systemd/system/etcd.path
0644 usr/lib/systemd/system/etcd.service
0644 usr/lib/sysusers.d/etcd-ha.conf
0644 usr/lib/tmpfiles.d/etcd-ha.conf
0755 usr/sbin/etcd-ha
0644 usr/share/bash-completion/completions/etcd
0644 usr/share/bash-completion/completions/etcd-ha
0644 usr/share/bash-completion/completions/etcdctl
0644 usr/share/doc/etcd-ha/NEWS.Debian.gz
0644 usr/share/doc/etcd-ha/README.Debian.gz
0644 usr/share/doc/etcd-ha/changelog.Debian.gz
0644 usr/share/doc/etcd-ha/copyright
0755 usr/share/doc/etcd-ha/examples/backup-hook-restic
0644 usr/share/doc/etcd-ha/examples/grafana-dashboard.json
0644 usr/share/doc/etcd-ha/examples/preseed.example
0644 usr/share/doc/etcd-ha/examples/prometheus-rules.yml
0644 usr/share/doc/etcd-ha/examples/prometheus.yml
0644 usr/share/doc/etcd-ha/provenance.json
0644 usr/share/doc/etcd-ha/sbom.spdx.json
0644 usr/share/doc/etcd-ha/toolchain
0644 usr/share/etcd-ha/alternatives
0644 usr/share/etcd-ha/config-keys
0644 usr/share/etcd-ha/known-faults
0644 usr/share/fish/vendor_completions.d/etcd-ha.fish
0644 usr/share/fish/vendor_completions.d/etcd.fish
0644 usr/share/fish/vendor_completions.d/etcdctl.fish
0644 usr/share/lintian/overrides/etcd-ha
0644 usr/share/man/man1/etcd.1.gz
0644 usr/share/man/man1/etcdctl.1.gz
0644 usr/share/man/man8/etcd-ha.8.gz
0644 usr/share/zsh/vendor-completions/_etcd
0644 usr/share/zsh/vendor-completions/_etcd-ha
0644 usr/share/zsh/vendor-completions/_etcdctl
"""
CONTROL_FILES = """
0644 conffiles
0755 config
0644 control
0644 md5sums
0755 postinst
0755 postrm
0755 preinst
0755 prerm
0644 templates
0644 triggers
"""


def listed(deb: Deb, part: str, kind: str) -> set[str]:
    """Mode and name of each member of a kind."""
    return {f"{member.mode:04o} {member.name}" for member in deb.members(part) if member.kind == kind}


@pytest.mark.parametrize("version", [STATIC, DYNAMIC, WITHOUT_ETCDUTL])
def test_package_has_exactly_these_files(upload: Callable[..., Upload], version: str) -> None:
    releases.ensure(version)
    deb = Deb(upload(version).deb)
    wanted = set(FILES.strip().split("\n"))
    for target, folder in SHIPPED.items():
        wanted |= {
            f"0644 {target}/{part.relative_to(folder)}"
            for part in sorted(folder.rglob("*"))
            if part.is_file() and part.suffix != ".pyc"
        }
    if version != WITHOUT_ETCDUTL:
        wanted |= set(ETCDUTL)
    assert sorted(listed(deb, DATA, "file")) == sorted(wanted)
    assert listed(deb, CONTROL, "file") == set(CONTROL_FILES.strip().split("\n"))


@pytest.mark.parametrize("version", [STATIC, WITHOUT_ETCDUTL])
def test_inspect_expects_the_members_that_a_build_makes(upload: Callable[..., Upload], version: str) -> None:
    releases.ensure(version)
    deb = Deb(upload(version).deb)
    found = {
        part: {
            f"./{member.name}{'/' * (member.kind == 'directory')}".replace("./.", "."): member.mode
            for member in deb.members(part)
        }
        for part in (CONTROL, DATA)
    }
    expected = expected_members(samples.version(version))
    assert found == {part.removesuffix(".tar"): modes for part, modes in expected.items()}


def test_package_has_neither_links_nor_directories_of_its_own_but_these(deb: Deb) -> None:
    directories = {member.name.rstrip("/") for member in deb.members() if member.kind == "directory"}
    parents = {str(parent) for name in deb.contents() for parent in Path(name).parents}
    assert directories - parents == {"etc/etcd"}
    assert {member.mode for member in deb.members() if member.kind == "directory"} == {0o755}
    assert listed(deb, DATA, "link") == set()


def test_every_member_has_the_date_of_the_changelog(deb: Deb) -> None:
    released = int(parsedate_to_datetime(str(changelog(deb).date)).timestamp())
    for part in (CONTROL, DATA):
        assert {member.mtime for member in deb.members(part)} == {released}
    with deb.path.open("rb") as archive:
        assert {member.time for member in members(archive)} == {released}


def test_changelog_has_the_version_of_the_package_and_its_maintainer(deb: Deb) -> None:
    with DebFile(str(deb.path)) as package:
        fields = package.debcontrol()
    entry = changelog(deb)
    assert (str(entry.version), entry.package) == (fields["Version"], fields["Package"])
    assert entry.author == fields["Maintainer"]
    tag = "v" + fields["Version"].rpartition("-")[0]
    assert any(tag in change for change in entry.changes()), entry.changes()


def changelog(deb: Deb) -> ChangeBlock:
    """The newest entry; read strictly, so that a changelog in another form fails."""
    text = gzip.decompress(deb.contents()["usr/share/doc/etcd-ha/changelog.Debian.gz"]).decode()
    return Changelog(text, strict=True)[0]


def test_triggers_wake_the_package_without_making_others_wait(deb: Deb) -> None:
    lines = deb.contents(CONTROL)["triggers"].decode().splitlines()
    wanted = {line for line in lines if line and not line.startswith("#")}
    # Debian's etcd-server, when purged, takes the account with it.
    assert wanted == {"interest-noawait /etc/default/etcd", "interest-noawait /etc/init.d/etcd"}


def test_questions_reach_the_package_with_their_translations(deb: Deb) -> None:
    """po2debconf ends well also where it wrote nothing."""
    templates = deb.contents(CONTROL)["templates"].decode()
    for line in ("Template: etcd-ha/setup", "Description-de.UTF-8: ", "Description-fr.UTF-8: "):
        assert line in templates
