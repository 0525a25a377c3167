"""A folder with the part of the package that both dataplanes and their tests need, to build
it in another way than `swift build` does: in minutes, without the daemons."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "Sources/Core", "Sources/SimDataplane", "Sources/DPDKDataplane", "Sources/Replay", "k8s_dp",
    "Sources/Daemons/ChildProcess", "Tests/NodeTesting", "Tests/CoreTests", "Tests/SimDataplaneTests")
LEFT_OUT = (
    "Sources/DPDKDataplane/Infrap4d", "Sources/DPDKDataplane/P4RuntimeCodec",
    "Sources/Replay/Live", "Sources/Replay/k8sdp")


def make(folder, tests, changed=()):
    """Makes or updates the folder.

    `tests` are further files for Tests/ReplayTests; `changed` maps paths to what they have
    instead of what they have here."""
    files = {Path("Package.swift"): (Path(__file__).parent / "Package.swift").read_bytes()}
    for path in (path for top in FOLDERS for path in (ROOT / top).rglob("*")):
        inside = path.relative_to(ROOT)
        if path.is_symlink():
            link(folder / inside, os.readlink(path))
        elif path.is_file() and ".docc/" not in str(inside) and not str(inside).startswith(LEFT_OUT):
            files[inside] = path.read_bytes()
    for path in tests:
        files[Path("Tests/ReplayTests") / path.name] = path.read_bytes()
    files |= changed
    for path, data in files.items():
        write_if_changed(folder / path, data)
    for path in [*folder.rglob("Sources/**/*.swift"), *folder.rglob("Tests/**/*.swift")]:
        if path.relative_to(folder) not in files:
            path.unlink()
    for name in ("Fixtures", "scripts", "Tests/TestPrograms"):
        link(folder / name, str(ROOT / name))


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.symlink_to(target)


def write_if_changed(path, data):
    """So that what is the same is not built again."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
