"""Entry point of the console script etcd-deb."""


def main() -> None:
    raise SystemExit("not built yet")
