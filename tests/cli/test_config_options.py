import click
import pytest
from click.testing import CliRunner

from posediff.cli.config_options import ConfigCommand, cfg_options


@click.command("show", cls=ConfigCommand)
@click.argument("paths", nargs=-1)
@cfg_options
@click.option("--resume", is_flag=True)
def show(paths, options, resume):
    click.echo(repr((paths, options, resume)))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.py"], (("a.py",), (), False)),
        (["a.py", "--cfg-options", "x=1"], (("a.py",), ("x=1",), False)),
        (["a.py", "--cfg-options", "x=1", "y=2", "--resume"], (("a.py",), ("x=1", "y=2"), True)),
        (["--cfg-options", "x=1", "y=2", "a.py", "b"], (("a.py", "b"), ("x=1", "y=2"), False)),
        (["a.py", "--cfg-options", "x=1", "--cfg-options", "y=[1, 2]"], (("a.py",), ("x=1", "y=[1, 2]"), False)),
        (["a.py", "--cfg-options=x=1"], (("a.py",), ("x=1",), False)),
        (["a.py", "--cfg-options", "x"], (("a.py",), ("x",), False)),
    ],
)
def test_several_values_follow_one_option(arguments, expected):
    result = CliRunner().invoke(show, arguments)
    assert result.output.strip() == repr(expected)


def test_an_option_without_a_value_is_told():
    result = CliRunner().invoke(show, ["a.py", "--cfg-options"])
    assert (result.exit_code, "requires an argument" in result.output) == (2, True)
