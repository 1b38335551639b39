"""The command line: `exabgp-intern COMMAND`, or `python -m exabgp_intern COMMAND`."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Callable, NoReturn, Sequence

__all__ = ('main',)

OPTIONS_OF_RUN = """\
options of run; they come before ExaBGP's own arguments, of which --help is one:
  --classes NAMES      intern only these, separated by commas; `exabgp-intern doctor` lists them
  --strict             exit with code 2 if one of them cannot be interned, instead of running ExaBGP without
  --stats-file FILE    write the current figures to FILE, in the text format of Prometheus
  --stats-every SECS   seconds between two writes; 15
each can be an environment variable as well: exabgp_intern_classes, exabgp_intern_stats_file
"""


def main(argv: Sequence[str] | None = None) -> Any:
    """Run the command of `argv`, by default sys.argv, and return its exit code: 2 for what the user can fix."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ['run']:
        # Nothing of the other commands: what is imported stays in the memory of the daemon.
        from exabgp_intern.daemon.run import run

        return run(argv[1:])
    return _other_than_run(argv)


def _other_than_run(argv: Sequence[str]) -> int:
    from exabgp_intern.report.workload import Problem

    parser = _Parser(
        prog='exabgp-intern',
        description='One object for each value of a route qualifier in ExaBGP.',
        epilog=OPTIONS_OF_RUN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar='COMMAND', required=True)
    commands.add_parser('run', help='run ExaBGP with interning; further arguments are its own')
    _add_doctor(commands.add_parser('doctor', help='say whether the ExaBGP of this machine can be interned'))
    _add_report(commands.add_parser('report', help='load routes with and without interning, and compare the two'))
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


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = 'Exits with 0 if every class can be interned, with 1 if not.'
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from exabgp_intern.daemon.doctor import doctor

    return doctor()


def _add_report(parser: argparse.ArgumentParser) -> None:
    from exabgp_intern.report.internet import PREFIXES_AN_UPDATE
    from exabgp_intern.report.messages import ADD_PATH, NLRIS_PER_UPDATE
    from exabgp_intern.report.synthetic import FAMILIES

    parser.description = (
        'Load routes through ExaBGP with its own classes and with the canonical ones, and show memory, time and '
        'objects of both. Traced bytes are measured on the first 20,000 routes; a configuration with more is not '
        'traced. Resident bytes, the median of the timed loads, are left out below 5,000 routes. Time is CPU time'
        ' for each route announced or withdrawn, the best of the timed loads; a difference within the spread of '
        'these loads is shown as none. Exits with 1 if the two do not print the same, with 2 if a part of the '
        'input cannot be read or no route was loaded; refused UPDATEs do not change that.'
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        '--updates',
        metavar='FILE',
        type=_path,
        nargs='+',
        action='extend',
        help='BGP messages, or an MRT dump (BGP4MP, TABLE_DUMP or TABLE_DUMP_V2), as they are or packed by gzip, '
        'bzip2, xz or zstd; several files, directories of them (not the directories and hidden files in these), a '
        'pipe, or - for standard input; a route of a table without a next hop gets one of zeros',
    )
    source.add_argument(
        '--config', type=_path, metavar='FILE', help='an ExaBGP configuration, whose routes are announced'
    )
    parser.add_argument(
        '--commands',
        type=_path,
        metavar='FILE',
        help='API commands (announce ..., withdraw ...), one a line, as a process prints them for ExaBGP; for the '
        'neighbors of --config; without --config, all for one neighbor that is made up',
    )
    stream = parser.add_argument_group(
        'how to decode BGP messages',
        'The OPENs in the file decide this: a single OPEN, or what both OPENs of a session negotiate. Without an '
        'OPEN, or with one of these options, the peer may send all families that ExaBGP knows, AS numbers have '
        'four octets, no NLRI has a path identifier, and an IPv4 route may have an IPv6 next hop; the options '
        'change that. An MRT dump says it in each record.',
    )
    stream.add_argument(
        '--add-path',
        action='append',
        choices=[*ADD_PATH],
        metavar='FAMILY',
        help='NLRIs of this family have path identifiers (%(choices)s); may be given several times',
    )
    stream.add_argument('--asn2', action='store_true', help='AS numbers have two octets')
    parser.add_argument(
        '--limit',
        type=_up_to(sys.maxsize),
        default=sys.maxsize,
        metavar='N',
        help='stop after N UPDATEs of --updates; of a table, after N UPDATEs that are made from it',
    )
    made = parser.add_argument_group('routes that are made up, if no file is given')
    for option, most, number in (('--routes', 1 << 24, 100_000), ('--vrfs', 65_535, 10), ('--labels', 1_000_000, 100)):
        made.add_argument(option, type=_up_to(most), default=number, metavar='N', help='how many, %(default)s')
    made.add_argument(
        '--family',
        choices=[*FAMILIES, 'internet'],
        default='vpnv4',
        help='%(default)s; internet is IPv4 unicast with AS paths, communities and what else a full table has',
    )
    made.add_argument(
        '--peers',
        type=_up_to(1_000),
        default=1,
        metavar='N',
        help='of --family internet; each sends all; %(default)s',
    )
    made.add_argument(
        '--prefixes-per-update',
        type=_average,
        default=PREFIXES_AN_UPDATE,
        metavar='X',
        help='of --family internet, on average; %(default)s',
    )
    parser.add_argument(
        '--nlris-per-update',
        type=_up_to(100),  # of the longest, 39 octets, no more fit into 4096
        default=NLRIS_PER_UPDATE,
        metavar='N',
        help='routes in each UPDATE if they are made up; at most, if they are of a table dump, which has not kept the '
        'UPDATEs: routes of one peer with the same attributes share one; %(default)s',
    )
    parser.add_argument(
        '--repeat',
        type=_up_to(100),
        metavar='N',
        help='time each way N times; by default 3 times, and 2 times if it takes more than a second',
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.add_argument('--plot', type=_picture, metavar='FILE', help='draw a picture too, .png or .svg')
    parser.set_defaults(run=_report)


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'{text!r} is not a number from 1 to {most}')
        return int(text)

    return number


def _average(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 100:
        raise argparse.ArgumentTypeError(f'{text!r} is not a number from 1 to 100')
    return number


def _path(path: str) -> str:
    if not path:
        raise argparse.ArgumentTypeError('the name of the file is empty')
    return path


def _picture(path: str) -> str:
    if not path.lower().endswith(('.png', '.svg')):
        raise argparse.ArgumentTypeError(f'{path!r} ends in neither .png nor .svg')
    return path


def _report(arguments: argparse.Namespace) -> int:
    from exabgp_intern.report.command import report
    from exabgp_intern.report.commands import commanded
    from exabgp_intern.report.internet import internet
    from exabgp_intern.report.messages import ADD_PATH
    from exabgp_intern.report.sources import configured, received
    from exabgp_intern.report.synthetic import synthetic
    from exabgp_intern.report.workload import Problem, Session

    limited = arguments.limit < sys.maxsize
    if not arguments.updates and (arguments.add_path or arguments.asn2 or limited):
        raise Problem('--add-path, --asn2 and --limit are for --updates')
    if arguments.commands:
        if arguments.updates:
            raise Problem('--updates are received and --commands announce: one of them at a time')
        workload = commanded(arguments.commands, arguments.config)
    elif arguments.updates:
        addpath = tuple(ADD_PATH[name] for name in arguments.add_path or ())
        said = Session(asn4=not arguments.asn2, addpath=addpath) if addpath or arguments.asn2 else None
        workload = received(
            *arguments.updates, nlris_per_update=arguments.nlris_per_update, said=said, limit=arguments.limit
        )
    elif arguments.config:
        workload = configured(arguments.config)
    elif arguments.family == 'internet':
        workload = internet(arguments.routes, arguments.prefixes_per_update, arguments.peers)
    else:
        made = arguments.family, arguments.routes, arguments.vrfs, arguments.labels
        workload = synthetic(*made, arguments.nlris_per_update)
    return report(workload, arguments.json, arguments.plot, arguments.repeat)


if __name__ == '__main__':
    sys.exit(main())
