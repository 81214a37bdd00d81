"""docs/service.md: its clients run and read, its tables are complete."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lenet5.cli.serve import command
from lenet5.web.settings import Settings
from tests.docs.test_docs import PICTURE, ROOT
from tests.web.conftest import SETTINGS, Running

TEXT = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)
    return str(code)


def ran(arguments: list[str], folder: Path) -> str:
    shutil.copy(PICTURE, folder / "photo.jpg")
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_client_reads(service: Running, tmp_path: Path) -> None:
    code = block("python").replace(":8000", f":{service.port}")
    assert ran([sys.executable, "-W", "error", "-c", code], tmp_path).split()[0] == "7"


def test_the_javascript_client_reads(service: Running, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or int(re.findall(r"\d+", subprocess.check_output([node, "--version"], text=True))[0]) < 20:
        pytest.skip("Node.js 20 or newer is not installed")
    (tmp_path / "client.mjs").write_text(block("javascript").replace(":8000", f":{service.port}"))
    assert ran([node, "client.mjs"], tmp_path).split()[0] == "7"


def test_each_curl_command_reads(service: Running, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    commands = re.findall(r"^\$ (curl .*)$", TEXT, flags=re.MULTILINE)
    for text in commands:
        answer = json.loads(
            ran([*shlex.split(text.partition("  #")[0].replace(":8000", f":{service.port}")), "--silent"], tmp_path)
        )
        assert {result["text"] for result in answer["results"]} == {"7"}, text
    assert len(commands) == 4


def test_every_metric_and_every_reason_of_a_refusal_is_named(service: Running) -> None:
    families = text_string_to_metric_families(service.client.get("/metrics").text)
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert {name for name in names if not name.endswith("_created")} == set(re.findall(r"lenet5_\w+", TEXT))
    source = "".join(path.read_text() for path in (ROOT / "src" / "lenet5" / "web").glob("*.py"))
    reasons = set(re.findall(r'RefusedError\([^)]*?"(\w+)"(?:, \{[^}]*\})?\s*\)', source))
    (row,) = re.findall(r"^\| `lenet5_refusals_total\{reason\}`.*$", TEXT, flags=re.MULTILINE)
    assert reasons <= set(re.findall(r"`(\w+)`", row))


def test_every_status_that_the_description_has_is_explained(service: Running) -> None:
    described = service.client.get("/openapi.json").json()["components"]["responses"]
    table = "".join(re.findall(r"^\| ([\d, ]+) \|", TEXT, flags=re.MULTILINE))
    assert {name.removeprefix("Error") for name in described} <= set(re.findall(r"\d{3}", table))


def test_the_defaults_of_the_command_are_those_of_the_settings() -> None:
    options = {option.name: option.default for option in command.params if isinstance(option, click.Option)}
    defaults = {field.name: field.default for field in fields(Settings)}
    assert options["queue"] == defaults["queue"]
    assert options["timeout"] == defaults["seconds"]
    assert 1_000_000 * options["max_body"] == defaults["most_bytes"]
    assert options["max_files"] == defaults["most_files"]
    assert options["max_pages"] == defaults["most_pages"]
    assert SETTINGS.weights.metadata["network"] == "lenet5"
