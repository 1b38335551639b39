"""The command line: `exabgp-intern COMMAND`, or `python -m exabgp_intern COMMAND`."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Callable, NoReturn, Sequence

__all__ = ('command_line', 'main')


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

    everything, options_of_run = _parsers()
    everything.epilog = options_of_run.format_help()  # `run --help` is ExaBGP's own
    arguments = everything.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except Problem as problem:
        print(f'exabgp-intern: {problem}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def command_line() -> argparse.ArgumentParser:
    """Return the parser of all commands, from which the man page is made (`tox -e man`)."""
    return _parsers()[0]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f'{self.prog}: {message}\n')  # one line, without the usage


def _parsers() -> tuple[_Parser, _Parser]:
    """Return the parser of all commands, and that of `run`, which only documents: run.py reads these options."""
    everything = _Parser(
        prog='exabgp-intern',
        description='Runs ExaBGP with one object for each value that its routes have in\n'
        'common: qualifiers, next hops and attributes. Measures what that saves.',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = everything.add_subparsers(metavar='COMMAND', required=True)
    options_of_run = commands.add_parser(
        'run',
        help='run ExaBGP with interning; all further arguments are those of exabgp',
        usage='exabgp-intern run [OPTION ...] [ARGUMENT OF exabgp ...]',
        add_help=False,
    )
    _add_run(options_of_run)
    _add_doctor(commands.add_parser('doctor', help='say whether the ExaBGP of this machine can be interned'))
    _add_report(commands.add_parser('report', help='load routes with and without interning, and compare the two'))
    return everything, options_of_run


def _add_run(parser: argparse.ArgumentParser) -> None:
    options = parser.add_argument_group(
        'options of run',
        "They come before ExaBGP's own arguments. Each can be an environment variable too, such as "
        'exabgp_intern_stats_file=FILE or exabgp_intern_strict=true.',
    )
    options.add_argument(
        '--classes', metavar='NAMES', help='intern only these, separated by commas; `exabgp-intern doctor` lists them'
    )
    options.add_argument(
        '--strict',
        action='store_true',
        help='exit with code 2 if something cannot be interned, or FILE not be written; by default, ExaBGP runs '
        'without it',
    )
    options.add_argument(
        '--stats-file', metavar='FILE', help='keep statistics in FILE, in the text format of Prometheus'
    )
    options.add_argument('--stats-every', metavar='SECONDS', help='how often to write FILE; 15 by default')
    parser.set_defaults(run=lambda arguments: main(['run']))  # `exabgp-intern -- run`


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'Print which ExaBGP this is and what of it can be interned. The exit code is 0 if every class of a qualifier '
        'and the next hop can be, and 1 if not.'
    )
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from exabgp_intern.daemon.doctor import doctor

    return doctor()


def _add_report(parser: argparse.ArgumentParser) -> None:
    from exabgp_intern.report.internet import PREFIXES_AN_UPDATE
    from exabgp_intern.report.messages import ADD_PATH, NLRIS_PER_UPDATE
    from exabgp_intern.report.synthetic import FAMILIES

    parser.description = (
        "Load routes with ExaBGP's own classes and with the canonical ones, and show memory, time and objects of "
        'both. Without a file, the routes are made up. Resident bytes are what the process takes from the system; '
        'they are left out below 5,000 routes. Traced bytes are what Python allocates, for the first 20,000 routes; a '
        'configuration with more routes is not traced. Time is CPU time, the best of several loads; a difference '
        'that is no larger than the spread of the loads is shown as none. The exit code is 1 if the two ways print '
        'routes differently, and 2 if a part of the input cannot be read or no route was loaded. UPDATEs that ExaBGP '
        'refuses do not change it.'
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        '--updates',
        metavar='FILE',
        type=_path,
        nargs='+',
        action='extend',
        help='BGP messages, or an MRT dump (BGP4MP, TABLE_DUMP or TABLE_DUMP_V2), plain or compressed by gzip, bzip2, '
        'xz or zstd; several files, directories (their files, but no subdirectories and hidden files), a pipe, or - '
        'for standard input',
    )
    source.add_argument(
        '--config', type=_path, metavar='FILE', help='an ExaBGP configuration, whose routes are announced'
    )
    parser.add_argument(
        '--commands',
        type=_path,
        metavar='FILE',
        help='API commands (announce ..., withdraw ...), one a line, as a process prints them for ExaBGP; they are for '
        'the neighbors of --config, or for a made-up neighbor without it',
    )
    stream = parser.add_argument_group(
        'how to decode BGP messages',
        'The OPENs in the file decide: a single OPEN, or what both OPENs of a session negotiate. Each record of an MRT '
        'dump says it itself. Without an OPEN, and with one of these options, the peer may send all families that '
        'ExaBGP knows, AS numbers have four octets, no NLRI has a path identifier, and an IPv4 route may have an IPv6 '
        'next hop. The options change that.',
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
        metavar='N',
        help='stop after N UPDATEs of --updates; for a table dump, after N that are made from it',
    )
    made = parser.add_argument_group('made-up routes')
    for option, most, number, what in (
        ('--routes', 1 << 24, 100_000, 'number of routes'),
        ('--vrfs', 65_535, 10, 'number of VRFs, each with a route distinguisher and a route target'),
        ('--labels', 1_000_000, 100, 'number of different label stacks'),
    ):
        made.add_argument(option, type=_up_to(most), default=number, metavar='N', help=f'{what}; %(default)s')
    made.add_argument(
        '--family',
        choices=[*FAMILIES, 'internet'],
        default='vpnv4',
        help='%(default)s by default; internet is IPv4 unicast with attributes as in a full table',
    )
    made.add_argument(
        '--peers',
        type=_up_to(1_000),
        default=1,
        metavar='N',
        help='number of peers that each send all routes of --family internet; %(default)s',
    )
    made.add_argument(
        '--prefixes-per-update',
        type=_average,
        default=PREFIXES_AN_UPDATE,
        metavar='X',
        help='prefixes in an UPDATE of --family internet, on average; %(default)s',
    )
    parser.add_argument(
        '--nlris-per-update',
        type=_up_to(100),  # of the longest, 39 octets, no more fit into 4096
        default=NLRIS_PER_UPDATE,
        metavar='N',
        help='routes in each made-up UPDATE; for a table dump, the most routes in an UPDATE; %(default)s',
    )
    parser.add_argument(
        '--repeat',
        type=_up_to(100),
        metavar='N',
        help='time each way N times; by default 3 times, and 2 times if a load takes more than a second',
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.add_argument('--plot', type=_picture, metavar='FILE', help='draw a picture too, .png or .svg')
    parser.set_defaults(run=lambda arguments: _report(parser, arguments))


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


OF_UPDATES = ('add_path', 'asn2', 'limit')
OF_INTERNET = ('peers', 'prefixes_per_update')
OF_VPN = ('vrfs', 'labels')
OF_MADE_UP = ('routes', 'family', *OF_INTERNET, *OF_VPN)


def _report(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    from exabgp_intern.report.command import report
    from exabgp_intern.report.commands import commanded
    from exabgp_intern.report.internet import internet
    from exabgp_intern.report.messages import ADD_PATH
    from exabgp_intern.report.sources import configured, received
    from exabgp_intern.report.synthetic import synthetic
    from exabgp_intern.report.workload import Session

    if arguments.commands and arguments.updates:
        parser.error('--commands cannot be used with --updates, which are received routes')
    files = [option for option in ('updates', 'config', 'commands') if getattr(arguments, option)]
    source = files[0] if files else f'family {arguments.family}'
    without_effect = {
        'updates': OF_MADE_UP,
        'config': (*OF_MADE_UP, 'nlris_per_update'),
        'commands': (*OF_MADE_UP, 'nlris_per_update'),
        'family internet': (*OF_VPN, 'nlris_per_update'),
        'family addpath': ('labels',),
    }
    for name, value in vars(arguments).items():
        option = f'--{name.replace("_", "-")}'
        if value == parser.get_default(name):
            continue
        if name in OF_UPDATES and source != 'updates':
            parser.error(f'{option} needs --updates')
        if name in without_effect.get(source, ()):
            parser.error(f'{option} has no effect with --{source}')
        if name in OF_INTERNET and source != 'family internet':
            parser.error(f'{option} needs --family internet')

    if arguments.commands:
        workload = commanded(arguments.commands, arguments.config)
    elif arguments.updates:
        addpath = tuple(ADD_PATH[name] for name in arguments.add_path or ())
        said = Session(asn4=not arguments.asn2, addpath=addpath) if addpath or arguments.asn2 else None
        limit = arguments.limit or sys.maxsize
        workload = received(*arguments.updates, nlris_per_update=arguments.nlris_per_update, said=said, limit=limit)
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
