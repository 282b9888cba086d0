"""Run posediff as ``python -m posediff``."""

from posediff.cli import main

main(prog_name="posediff")
