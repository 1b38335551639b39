"""docs/exabgp-intern.1, which `tox -e man` makes from the parser of the command line."""

from __future__ import annotations

import argparse
import re
from typing import Iterator

from exabgp_intern.__main__ import command_line
from tests import ROOT


def texts(of: argparse.ArgumentParser) -> Iterator[str]:
    """Yield what `--help` says, of all commands: descriptions, commands, options and their help."""
    yield of.description or ''
    for group in of._action_groups:
        yield group.description or ''
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                yield listed.help or ''
            for command in action.choices.values():
                yield from texts(command)
        elif not isinstance(action, argparse._HelpAction):
            yield from action.option_strings
            choices = ', '.join(action.choices or ())
            yield (action.help or '') % {**vars(action), 'choices': choices}


def test_it_has_all_that_help_says_and_no_other_option() -> None:
    page = (ROOT / 'docs/exabgp-intern.1').read_text(encoding='utf-8')
    words = ' '.join(re.sub(r'\\f[BIR]|\\,|\\/', '', page).replace('\\-', '-').split())
    expected = [' '.join(text.split()) for text in texts(command_line())]
    assert len(expected) > 40
    assert [text for text in expected if text not in words] == []
    headings = re.findall(r'^\.TP\n\\fB(\\-\\-.+?)\\fR', page, re.MULTILINE)
    assert {heading.replace('\\-', '-') for heading in headings} == {each for each in expected if each[:2] == '--'}
