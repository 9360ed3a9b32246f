"""What deploy/ asks of Kubernetes, read."""

from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="session")
def deploy(root: Path) -> Path:
    return root / "deploy"


@pytest.fixture(scope="session")
def values(deploy: Path) -> dict[str, Any]:
    return yaml.safe_load((deploy / "kubernetes" / "values.yaml").read_text())


@pytest.fixture(scope="session")
def objects(deploy: Path) -> dict[str, Any]:
    """What exchange.yaml makes, by kind and name."""
    made = yaml.safe_load_all((deploy / "kubernetes" / "exchange.yaml").read_text())
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in made}
