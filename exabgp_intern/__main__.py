"""The command line: `exabgp-intern COMMAND`, or `python -m exabgp_intern COMMAND`."""

from __future__ import annotations

import argparse
import sys
from typing import Callable, NoReturn, Sequence

from exabgp_intern.report import report
from exabgp_intern.workload import FAMILIES, Problem, configured, received, synthetic

__all__ = ('main',)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of `argv`, by default sys.argv, and return its exit code: 2 for what the user can mend."""
    parser = _Parser(prog='exabgp-intern', description='One object for each value of a route qualifier in ExaBGP.')
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    _add_report(commands.add_parser('report', help='load routes with and without, and show the two side by side'))
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except Problem as problem:
        print(f'exabgp-intern: {problem}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f'{self.prog}: {message}\n')  # one line, without the usage


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'Load routes through ExaBGP once with its own classes and once with the canonical ones, and show memory, time '
        'and objects of both. Exits with 1 if the two do not print the same, with 2 for input that cannot be read.'
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--updates', metavar='FILE', help='BGP messages, or an MRT BGP4MP dump, packed or not')
    source.add_argument('--config', metavar='FILE', help='an ExaBGP configuration')
    made = parser.add_argument_group('routes that are made up, if no file is given')
    made.add_argument('--routes', type=_up_to(1 << 24), default=100_000, metavar='N', help='%(default)s')
    made.add_argument('--vrfs', type=_up_to(65_535), default=10, metavar='N', help='%(default)s')
    made.add_argument('--labels', type=_up_to(1_000_000), default=100, metavar='N', help='%(default)s')
    made.add_argument('--family', choices=FAMILIES, default='vpnv4', help='%(default)s')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.add_argument('--plot', type=_picture, metavar='FILE', help='draw a picture too, .png or .svg')
    parser.set_defaults(run=_report)


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'{text!r} is not a number from 1 to {most}')
        return int(text)

    return number


def _picture(path: str) -> str:
    if not path.endswith(('.png', '.svg')):
        raise argparse.ArgumentTypeError(f'{path!r} ends in neither .png nor .svg')
    return path


def _report(arguments: argparse.Namespace) -> int:
    if arguments.updates:
        workload = received(arguments.updates)
    elif arguments.config:
        workload = configured(arguments.config)
    else:
        workload = synthetic(arguments.family, arguments.routes, arguments.vrfs, arguments.labels)
    return report(workload, arguments.json, arguments.plot)


if __name__ == '__main__':
    sys.exit(main())
