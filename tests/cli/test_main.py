import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from posediff import __version__, cli
from posediff.errors import BadData, BadSetting, CannotWrite, MissingDependency


def run_raising(monkeypatch, fault, **environment):
    """Run a command that raises ``fault``."""

    @click.command()
    def failing():
        raise fault

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: failing)
    return CliRunner().invoke(cli.main, ["compare"], env={"POSEDIFF_DEBUG": "", **environment})


def test_help_lists_every_command_of_the_table():
    output = CliRunner().invoke(cli.main, ["--help"]).output
    for name, (_, summary) in cli.COMMANDS.items():
        assert name in output
        assert summary in output


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_can_be_loaded_and_explains_itself(name):
    result = CliRunner().invoke(cli.main, [name, "--help"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"Usage: posediff {name}" in result.output


def test_without_arguments_the_help_is_shown():
    result = CliRunner().invoke(cli.main, [])
    assert result.exit_code == 0
    assert result.output == CliRunner().invoke(cli.main, ["--help"]).output


def imported_by(*arguments):
    """The modules that a whole process has imported when the command ends."""
    script = (
        "import sys; from posediff.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, *arguments]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stderr.split())


def test_help_imports_no_numerical_library():
    assert imported_by("--help") & {"numpy", "scipy", "matplotlib", "torch", "numba"} == set()


def test_a_comparison_without_pictures_imports_neither_pictures_nor_torch():
    samples = Path(__file__).parents[2] / "annotations" / "samples"
    imported = imported_by("compare", str(samples / "squat_reference.json"), str(samples / "squat_shallow.json"))
    assert imported & {"matplotlib", "torch", "tslearn", "pandas"} == set()


def test_version_is_the_package_s():
    assert CliRunner().invoke(cli.main, ["--version"]).output == f"posediff {__version__}\n"


def test_the_module_runs_as_a_program():
    command = [sys.executable, "-m", "posediff", "--version"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output == f"posediff {__version__}\n"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (BadSetting("gamma is -1", "give more than 0"), 2),
        (BadData("a.json: no people", "choose another file"), 3),
        (CannotWrite("out: read-only", "choose another folder"), 1),
        (MissingDependency("ezc3d", "c3d", "reading C3D"), 1),
    ],
)
def test_a_user_s_mistake_is_one_line_and_a_hint_with_its_exit_code(monkeypatch, fault, code):
    result = run_raising(monkeypatch, fault)
    assert result.exit_code == code
    assert result.stderr == f"posediff: error: {fault}\nhint: {fault.hint}\n"
    assert result.stdout == ""


def test_a_fault_without_hint_is_one_line(monkeypatch):
    assert run_raising(monkeypatch, BadData("no people")).stderr == "posediff: error: no people\n"


@given(text=st.text())
def test_a_message_is_always_one_printable_line(text):
    assert cli.one_line(text).isprintable()


def test_a_printable_message_is_kept_as_it_is():
    assert cli.one_line("left knee 23° in 'Übung  1.json'") == "left knee 23° in 'Übung  1.json'"


def test_a_message_cannot_drive_the_terminal(monkeypatch):
    stderr = run_raising(monkeypatch, BadData("joint '\x1b[2J\nfoot'")).stderr
    assert stderr == "posediff: error: joint '\\x1b[2J\\nfoot'\n"


def test_an_unexpected_fault_is_reported_as_ours_without_a_traceback(monkeypatch):
    result = run_raising(monkeypatch, KeyError("left_knee"))
    assert result.exit_code == 1
    assert "internal error: KeyError: 'left_knee'" in result.stderr
    assert "report it" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_traceback_is_shown_on_demand(monkeypatch):
    assert "Traceback" in run_raising(monkeypatch, KeyError("left_knee"), POSEDIFF_DEBUG="1").stderr


def test_running_out_of_memory_is_one_line(monkeypatch):
    result = run_raising(monkeypatch, MemoryError())
    assert (result.exit_code, result.stderr.splitlines()[0]) == (1, "posediff: error: out of memory")


def test_an_error_of_the_operating_system_names_the_file(monkeypatch):
    result = run_raising(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "out/a.json"))
    assert result.exit_code == 1
    assert result.stderr.startswith("posediff: error: No space left on device: out/a.json\nhint: ")


def test_an_interruption_exits_as_the_shell_expects(monkeypatch):
    result = run_raising(monkeypatch, KeyboardInterrupt())
    assert result.exit_code == 130
    assert result.stderr.strip() == "posediff: interrupted"


def test_an_exit_code_chosen_by_a_command_is_kept(monkeypatch):
    assert run_raising(monkeypatch, click.exceptions.Exit(4)).exit_code == 4


def test_a_reader_that_went_away_ends_the_program_in_silence():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "posediff", "--help"]
    process = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (process.returncode, process.stderr) == (1, b"")


def test_text_that_stdout_cannot_encode_is_escaped(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    cli.tolerate_unprintable_text()
    print("23°", flush=True)
    assert written.getvalue() == b"23\\xb0\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["comapre"], "did you mean compare?"),
        (["dance"], f"there are: {', '.join(cli.COMMANDS)}"),
        (["--verson"], "--version"),
        (["compare"], "Missing argument"),
    ],
)
def test_wrong_usage_exits_2_with_a_suggestion(arguments, message):
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 2
    error, hint = result.stderr.splitlines()
    assert error.startswith("posediff: error: ")
    assert message in error
    assert hint.startswith("hint: see posediff")


@pytest.mark.parametrize(
    ("flags", "logged"),
    [(["-q"], "E"), ([], "EW"), (["-v"], "EWI"), (["-vv"], "EWID")],
)
def test_verbosity_decides_what_is_logged_to_stderr(monkeypatch, flags, logged):
    @click.command()
    def logging_command():
        import logging

        for level in (logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG):
            logging.getLogger("posediff.io").log(level, "read")

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: logging_command)
    result = CliRunner().invoke(cli.main, [*flags, "compare"])
    assert [line.split()[1][0] for line in result.stderr.splitlines()] == list(logged)
    assert result.stdout == ""


def test_a_caller_can_have_the_fault_itself(monkeypatch):
    @click.command()
    def failing():
        raise BadData("no people")

    monkeypatch.setattr(cli.Commands, "get_command", lambda *_: failing)
    with pytest.raises(BadData):
        cli.main(["compare"], standalone_mode=False)


def test_the_shell_completes_commands():
    environment = {"_POSEDIFF_COMPLETE": "bash_complete", "COMP_WORDS": "posediff com", "COMP_CWORD": "1"}
    result = CliRunner().invoke(cli.main, [], env=environment)
    assert result.stdout == "plain,compare\n"
