"""The project's own rules: style, types, layers, a test for every module, and documents that are true."""

import inspect
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import partial
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import posediff
from posediff.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

#: Modules that only declare what others fill in.
DECLARATIONS = {"compare/comparison.py", "report/stylesheet.py"}
MOST_LINES = 330


def project_files(*suffixes: str) -> list[Path]:
    """Files of these kinds that belong to the project, so neither hidden nor built."""
    folders = ["annotations", "benchmarks", "configs", "docs", "posediff", "tests", "tools"]
    inside = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in [*ROOT.glob("*"), *inside] if path.suffix in suffixes)


def tool(name: str) -> str:
    """Where a development tool of this environment lies."""
    path = shutil.which(name, path=sysconfig.get_path("scripts"))
    if path is None:
        pytest.skip(f"{name} is not installed (pip install -e '.[dev]')")
    return path


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy", "lint-imports --no-cache"])
def test_the_code_passes(command):
    if command == "mypy" and sys.version_info < (3, 11):
        pytest.skip("the code is typed against a numpy that needs Python 3.11")
    name, *arguments = command.split()
    result = subprocess.run([tool(name), *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_module_has_a_test_file_of_its_own():
    modules = (path.relative_to(ROOT / "posediff") for path in (ROOT / "posediff").rglob("*.py"))
    plain = (path for path in modules if not path.name.startswith("__") and str(path) not in DECLARATIONS)
    missing = [str(path) for path in plain if not (ROOT / "tests" / path.parent / f"test_{path.name}").exists()]
    assert missing == []


def test_no_file_is_too_long_to_read_at_once():
    sources = (path for path in project_files(".py") if "tests" not in path.parts)
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    assert {path: lines for path, lines in long.items() if lines > MOST_LINES} == {}


def test_no_file_names_a_place_on_somebody_s_machine():
    place = re.compile(r"(?<![\w.~}])/(?:home|Users|root|work|mnt)/\w")
    found = {
        str(path.relative_to(ROOT)): line
        for path in project_files(".py", ".md", ".toml", ".yaml", ".json", "")
        if path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if place.search(line)
    }
    assert found == {}


def test_every_public_name_means_the_same_before_and_after_its_module_is_imported():
    shadowed = [name for name in posediff.__all__ if inspect.ismodule(getattr(posediff, name))]
    assert shadowed == []


def test_every_extra_that_a_message_recommends_exists():
    declared = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    sources = "".join(path.read_text(encoding="utf-8") for path in project_files(".py"))
    recommended = re.findall(r'MissingDependency\("[^"]+", "([^"]+)"', sources)
    assert set(recommended) - set(declared) == set()


def test_the_changelog_starts_with_what_is_unreleased_and_names_the_version_in_work():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[(.+?)\]", text, flags=re.MULTILINE)[0] == "Unreleased"
    assert f"version {posediff.__version__}" in text


def blocks(document: Path, language: str) -> list[str]:
    """The code blocks of one language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "document", [*filter(partial(blocks, language="python"), DOCUMENTS)], ids=lambda path: path.name
)
def test_python_examples_run(document, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "annotations", tmp_path / "annotations")
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks(document, "python")), {"__name__": document.stem})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documented_commands_and_options_exist(document):
    lines = [line for block in blocks(document, "(?:bash|console|sh)") for line in block.splitlines()]
    for line in lines:
        for call in re.findall(r"(?:^\$ |^|/|&& )posediff ((?:(?!&&|\|).)*)", line):
            name, *words = call.split()
            if name in COMMANDS:
                command = main.get_command(click.Context(main), name)
                options = {
                    option for parameter in command.params for option in parameter.opts + parameter.secondary_opts
                }
            else:
                words.insert(0, name)
                options = {option for parameter in main.get_params(click.Context(main)) for option in parameter.opts}
            unknown = [word for word in words if re.match(r"--?[a-z]", word) and word not in options | {"--help"}]
            assert unknown == [], line


def test_the_readme_shows_what_its_first_command_prints(monkeypatch):
    monkeypatch.chdir(ROOT)
    command = re.search(r"posediff (compare .*) --out", blocks(ROOT / "README.md", "bash")[0])
    printed = CliRunner().invoke(main, command[1].split()).stdout.splitlines()
    shown = blocks(ROOT / "README.md", "text")[0].splitlines()
    assert [line for line in shown if line not in printed] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(document):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
