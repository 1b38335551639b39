"""Real daemons over TCP: an interned ExaBGP does, message by message and octet by octet, what a stock one does."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from struct import pack
from typing import Any, Iterator, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exabgp_intern.report.synthetic import FAMILIES as MADE
from exabgp_intern.report.synthetic import synthetic
from scripts.speaker import NOTIFICATION, UPDATE, Speaker, free_port, kinds, message
from tests.daemon.daemons import (
    ANNOUNCER,
    FAMILIES,
    INTERNED,
    ROOT,
    STOCK,
    ExaBGP,
    Process,
    Tee,
    announcing,
    receiving,
    routes,
    wait_for,
)

VPN, LABELLED, PATHS, CARRIERS, EVPN_EACH, BY_API = 8_000, 4_000, 2_000, 100, 40, 1_900
CONFIGURED = VPN + LABELLED + PATHS + CARRIERS * (1 + EVPN_EACH)
WITHDRAWN, FLAPPING, FLAPS = 400, 50, 3
PROGRAMS = {'stock': STOCK, 'interned': INTERNED}


def prefix(first: int, number: int) -> str:
    return f'{first}.{number >> 8}.{number & 255}.0/24'


def vpn(first: int, number: int) -> str:
    attributes = f'extended-community [ target:65000:{number % 10} ] local-preference 100'
    where = f'rd 65000:{number % 10} label {1000 + number % 100} next-hop 192.0.2.{number % 4}'
    return f'route {prefix(first, number)} {where} {attributes}'


def evpn(carrier: int) -> str:
    # ExaBGP's configuration knows no EVPN: a unicast route carries the attribute with its NLRIs, RFC 4760
    numbers = range(carrier * EVPN_EACH, (carrier + 1) * EVPN_EACH)
    nlris = b''.join(MADE['evpn'].nlri(number, number % 10, 1000 + number % 100) for number in numbers)
    attribute = pack('!HBB4sB', 25, 70, 4, b'\xc0\0\2\1', 0) + nlris
    return (
        f'route {prefix(13, carrier)} path-information 1 next-hop 192.0.2.1 attribute [ 0x0e 0x90 0x{attribute.hex()} ]'
    )


def configured() -> str:
    several = [vpn(10, number) for number in range(VPN)]
    several += [
        f'route {prefix(11, number)} label {1000 + number % 100} next-hop 192.0.2.1' for number in range(LABELLED)
    ]
    several += [
        f'route {prefix(12, number // 4)} path-information {1 + number % 4} next-hop 192.0.2.{number % 4}'
        for number in range(PATHS)
    ]
    several += [evpn(carrier) for carrier in range(CARRIERS)]
    return ''.join(f'{route};\n' for route in several)


class Ran(NamedTuple):
    """What became of one announcer with a stock and an interned receiver."""

    stock: list[dict[str, Any]]  # JSON messages
    interned: list[dict[str, Any]]
    phases: list[list[tuple[str, str, str]]]  # the routes that the stock one heard of, sorted, phase by phase
    exit_codes: list[int]
    metrics: str
    log: str


@pytest.fixture(scope='module', params=PROGRAMS)
def ran(request: Any, tmp_path_factory: Any) -> Ran:
    """Announce 20,000 routes, from the configuration and by API; withdraw a part; flap."""
    return _run(request.param, tmp_path_factory.mktemp(request.param))


_RAN: dict[str, Ran] = {}


def _run(announcer_program: str, directory: Path) -> Ran:
    if announcer_program in _RAN:
        return _RAN[announcer_program]
    ports = free_port(), free_port()
    watching = ('--stats-file', str(directory / 'stats.prom'), '--stats-every', '0.5')
    with ExitStack() as stack:
        receivers = [
            stack.enter_context(ExaBGP(directory / name, program, receiving(), port))
            for name, program, port in zip(PROGRAMS, (STOCK, INTERNED + watching), ports)
        ]
        for receiver in receivers:
            wait_for(lambda receiver=receiver: 'loaded new configuration' in receiver.output)
        tee = stack.enter_context(Tee(*ports))
        announcer = stack.enter_context(
            ExaBGP(directory / 'announcer', PROGRAMS[announcer_program], announcing(tee.port, configured()))
        )
        phases: list[list[tuple[str, str, str]]] = []

        def phase(expected: int, *commands: str) -> None:
            # one after the other: what is announced and withdrawn again before it was sent never is
            announcer.say(*commands)
            before = sum(map(len, phases))
            for receiver in receivers:
                wait_for(lambda receiver=receiver: len(receiver.routes()) >= before + expected, 120)
            phases.append(sorted(receivers[0].routes()[before:]))

        phase(CONFIGURED)
        phase(BY_API, *(f'announce {vpn(14, number)}' for number in range(BY_API)))
        phase(WITHDRAWN, *(f'withdraw {vpn(14, number)}' for number in range(WITHDRAWN)))
        phase(WITHDRAWN, *(f'withdraw {vpn(10, number)}' for number in range(WITHDRAWN)))
        for _ in range(FLAPS):
            phase(FLAPPING, *(f'withdraw {vpn(10, VPN - 1 - number)}' for number in range(FLAPPING)))
            phase(FLAPPING, *(f'announce {vpn(10, VPN - 1 - number)}' for number in range(FLAPPING)))
        alive = VPN + BY_API - 2 * WITHDRAWN
        wait_for(lambda: _references(directory / 'stats.prom', 'RouteDistinguisher') >= alive, 10)
        metrics = (directory / 'stats.prom').read_text()
        for receiver in receivers:
            receiver.say('shutdown')
        exit_codes = [receiver.exit_code() for receiver in receivers]
        heard = [receiver.heard() for receiver in receivers]
        _RAN[announcer_program] = Ran(heard[0], heard[1], phases, exit_codes, metrics, receivers[1].output)
    return _RAN[announcer_program]


def _references(file: Path, name: str) -> float:
    if not file.exists():
        return 0
    families = {family.name: family for family in text_string_to_metric_families(file.read_text())}
    samples = families['exabgp_intern_references'].samples
    return next(sample.value for sample in samples if sample.labels['class'] == name)


def test_both_receivers_write_the_same_json(ran: Ran) -> None:
    routes = [route for phase in ran.phases for route in phase]
    assert sum(1 for action, *_ in routes if action == 'announce') == CONFIGURED + BY_API + FLAPS * FLAPPING
    assert {family for _, family, _ in routes} == {'ipv4 unicast', 'ipv4 nlri-mpls', 'ipv4 mpls-vpn', 'l2vpn evpn'}
    assert CONFIGURED + BY_API == 20_000
    assert len(ran.interned) == len(ran.stock)
    # At the end there are two races in ExaBGP: between the answer to `shutdown` and the end of the session, and
    # between the two reasons for that end, its own and the peer's.
    for told in (ran.stock, ran.interned):
        del [it['neighbor'] for it in told if it.get('neighbor', {}).get('state') == 'down'][-1]['reason']
    for answers in (True, False):
        stock, interned = ([it for it in told if ('answer' in it) == answers] for told in (ran.stock, ran.interned))
        assert len(interned) == len(stock)
        for one, other in zip(stock, interned):
            assert other == one


def test_api_shutdown_ends_both_alike(ran: Ran) -> None:
    assert ran.exit_codes == [0, 0]


def test_the_stats_file_tells_what_is_held(ran: Ran) -> None:
    metrics = {
        (sample.name, sample.labels.get('class')): sample.value
        for family in text_string_to_metric_families(ran.metrics)
        for sample in family.samples
    }
    assert metrics['exabgp_intern_objects', 'RouteDistinguisher'] == 10
    assert metrics['exabgp_intern_saved_bytes', 'RouteDistinguisher'] > 100 * VPN
    assert metrics['exabgp_intern_table_bytes', 'RouteDistinguisher'] > 0


def test_the_log_tells_what_is_interned_and_what_that_saved(ran: Ran) -> None:
    ours = [line for line in ran.log.splitlines() if 'exabgp-intern' in line]
    assert len(ours) == 2, ours
    assert 'RouteDistinguisher, Labels' in ours[0] and 'interned, ExaBGP' in ours[0]
    assert re.search(r': saved [\d.]+ MB, objects: ', ours[1])


def test_both_announcers_announce_the_same(tmp_path_factory: Any) -> None:
    stock, interned = (_run(name, tmp_path_factory.mktemp(name)) for name in PROGRAMS)
    assert len(stock.phases) == 4 + 2 * FLAPS
    assert interned.phases == stock.phases


# What an UPDATE may have wrong: with all families agreed, ExaBGP must refuse, or let pass, the same octets alike.
AGREED = [(1, 1), (1, 4), (1, 128), (25, 70)]


def update(*attributes: bytes, withdrawn: bytes = b'', nlri: bytes = b'') -> bytes:
    joined = b''.join(attributes)
    return message(UPDATE, pack('!H', len(withdrawn)) + withdrawn + pack('!H', len(joined)) + joined + nlri)


def attribute(flags: int, code: int, value: bytes) -> bytes:
    return pack('!BBH', flags | 0x10, code, len(value)) + value


def reach(afi: int, safi: int, nlris: bytes, next_hop: bytes = b'\xc0\0\2\1') -> bytes:
    return attribute(0x80, 14, pack('!HBB', afi, safi, len(next_hop)) + next_hop + b'\0' + nlris)


ORIGIN, AS_PATH, PREFERENCE = (attribute(0x40, code, value) for code, value in ((1, b'\0'), (2, b''), (5, bytes(4))))
WELL = (ORIGIN, AS_PATH, PREFERENCE)
RD_NEXT_HOP = bytes(8) + b'\xc0\0\2\1'
MALFORMED = {
    'a VPN route shorter than its mask': update(*WELL, reach(1, 128, b'\x70' + bytes(5), RD_NEXT_HOP)),
    'a VPN route without its RD': update(*WELL, reach(1, 128, b'\x20\0\x10\x01\0', RD_NEXT_HOP)),
    'a VPN route with a mask past the address': update(*WELL, reach(1, 128, b'\xff' + bytes(40), RD_NEXT_HOP)),
    'a label stack without its bottom': update(*WELL, reach(1, 4, b'\x30\0\x10\0\0\x20\0')),
    'a label stack cut in a label': update(*WELL, reach(1, 4, b'\x18\0\x10')),
    'an EVPN route shorter than its length': update(*WELL, reach(25, 70, b'\2\x21' + bytes(10))),
    'an EVPN route without its ESI': update(*WELL, reach(25, 70, b'\2\4' + bytes(4))),
    'an EVPN MAC of 40 bits': update(*WELL, reach(25, 70, b'\2\x21' + bytes(22) + b'\x28' + bytes(10))),
    'a next hop of three octets': update(*WELL, reach(1, 128, bytes(15), bytes(3))),
    'a family that was not agreed': update(*WELL, reach(2, 128, bytes(15), RD_NEXT_HOP)),
    'attributes longer than the message': message(UPDATE, b'\0\0\xff\xff' + ORIGIN),
    'an origin of two octets': update(attribute(0x40, 1, b'\0\0'), nlri=b'\x08\x0a'),
    'an unknown well-known attribute': update(*WELL, attribute(0x40, 99, b''), nlri=b'\x08\x0a'),
    'a message of type 9': message(9),
    'no marker': bytes(16) + message(4)[16:],
}

UNANSWERED = (
    'no marker',
    'a label stack without its bottom',
    'an origin of two octets',
    'an unknown well-known attribute',
)


RIGHT = b''.join(message(UPDATE, body) for _, body in synthetic('vpnv4', 100, 10, 100).updates)


@contextmanager
def both(directory: Path, neighbor: str) -> Iterator[list[tuple[ExaBGP, int]]]:
    """A stock and an interned receiver, each with its port."""
    with ExitStack() as stack:
        several = []
        for name, program in PROGRAMS.items():
            port = free_port()
            receiver = stack.enter_context(ExaBGP(directory / name, program, neighbor, port))
            wait_for(lambda receiver=receiver: 'loaded new configuration' in receiver.output)
            several.append((receiver, port))
        yield several


@pytest.fixture(scope='module')
def refusing(tmp_path_factory: Any) -> Iterator[list[tuple[ExaBGP, int]]]:
    """For one session after the other."""
    with both(tmp_path_factory.mktemp('refusing'), receiving()) as several:
        yield several


@pytest.mark.parametrize('what', MALFORMED)
def test_a_malformed_update_gets_the_same_octets_in_answer(refusing: Any, what: str) -> None:
    answers, told = [], []
    for receiver, port in refusing:
        before = len(receiver.heard())
        with Speaker(port, AGREED) as speaker:
            # right ones first: what these left in the tables must not change how the next is taken
            speaker.send(RIGHT)
            speaker.send(MALFORMED[what])
            speaker.say_no_more()
            answers.append(speaker.hear_the_end())
        told.append(told_until_down(receiver, before))
    assert answers[1] == answers[0]
    assert told[1] == told[0]
    assert (NOTIFICATION in kinds(answers[0])) is (what not in UNANSWERED)
    assert sum(1 for each in told[0] for _ in routes(each)) >= 100


def told_until_down(receiver: ExaBGP, before: int = 0) -> list[dict[str, Any]]:
    """Return what its helper process was told since the message `before`, when it was told that the session ended."""
    wait_for(lambda: any(each.get('neighbor', {}).get('state') == 'down' for each in receiver.heard()[before:]))
    return receiver.heard()[before:]


@pytest.mark.parametrize('end', ['reset', 'closed'])
def test_a_peer_killed_in_the_middle_of_a_message(refusing: Any, end: str) -> None:
    told: list[Any] = []
    for receiver, port in refusing:
        before, routes_before = len(receiver.heard()), len(receiver.routes())
        for again in (1, 2):
            with Speaker(port, AGREED) as speaker:
                speaker.send(RIGHT + RIGHT[:60])
                # all before must have been read: a reset discards what was not
                wait_for(lambda again=again: len(receiver.routes()) == routes_before + again * 100)  # noqa: B023
                if end == 'reset':
                    speaker.die()
            told.append(told_until_down(receiver, before))
            before = len(receiver.heard())
    assert told[2:] == told[:2]


STATIC = [f'{vpn(10, number)};' for number in range(20)] + ['route 11.0.0.0/24 label 16 next-hop 192.0.2.1;']


def sending(*static: str) -> str:
    return receiving().replace('adj-rib-in', f'static {{ {" ".join(static)} }} adj-rib-in')


def test_reload_sends_what_changed(tmp_path: Path) -> None:
    heard = []
    with both(tmp_path, sending(*STATIC)) as several:
        for receiver, port in several:
            with Speaker(port, AGREED) as speaker:
                speaker.send(RIGHT)
                ends_of_rib = len(AGREED)
                speaker.hear_updates(len(STATIC) + ends_of_rib)
                receiver.configure(sending(*STATIC[5:], f'{vpn(12, 1)};'))
                receiver.popen.send_signal(signal.SIGUSR1)
                heard.append(speaker.hear_updates(len(STATIC) + ends_of_rib + 6))
            told_until_down(receiver)
        assert several[0][0].heard() == several[1][0].heard()
        assert sum(1 for _ in several[0][0].routes()) == 100
    assert heard[1] == heard[0]


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_both_alike(tmp_path: Path, number: signal.Signals) -> None:
    heard, exit_codes = [], []
    with both(tmp_path, receiving()) as several:
        for receiver, port in several:
            with Speaker(port, AGREED) as speaker:
                speaker.send(RIGHT)
                wait_for(lambda receiver=receiver: len(receiver.routes()) == 100)
                receiver.popen.send_signal(number)
                heard.append(speaker.hear_the_end())
            exit_codes.append(receiver.exit_code())
        logged = [line for line in several[1][0].output.splitlines() if 'exabgp-intern' in line]
        assert several[0][0].heard() == several[1][0].heard()
    assert heard[1] == heard[0]
    assert exit_codes == [0, 0]
    assert len(logged) == 2, logged


GOBGP = """
[global.config]
as = 65000
router-id = "127.0.0.2"
port = -1
[[neighbors]]
[neighbors.config]
neighbor-address = "127.0.0.1"
peer-as = 65000
[neighbors.timers.config]
connect-retry = 1
[neighbors.transport.config]
remote-port = {port}
local-address = "127.0.0.2"
"""
GOBGP_FAMILY = """
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "{name}"
[neighbors.afi-safis.add-paths.config]
send-max = {paths}
"""
GOBGP_FAMILIES = {'ipv4-unicast': 4, 'ipv4-labelled-unicast': 0, 'l3vpn-ipv4-unicast': 0, 'l2vpn-evpn': 0}
GOBGP_EACH = 120  # routes of each family


def gobgp_routes(number: int) -> Iterator[str]:
    """Yield the arguments of `gobgp global rib add` and `del` for the route of each family with this number."""
    vrf, label = number % 4, 100 + number % 10
    yield f'-a vpnv4 {prefix(10, number)} label {label} rd 65000:{vrf} rt 65000:{vrf}'
    yield f'-a ipv4-mpls {prefix(11, number)} {label}'
    yield f'-a ipv4 {prefix(12, number // 4)} identifier {1 + vrf} nexthop 192.0.2.{vrf}'
    address = f'00:00:00:00:{number >> 8:02x}:{number & 255:02x} 10.0.{number >> 8}.{number & 255}'
    segment = f'esi AS 65000 {vrf} etag {vrf} label {label} rd 65000:{vrf} rt 65000:{vrf}'
    yield f'-a evpn macadv {address} {segment}'


@pytest.mark.skipif(not (shutil.which('gobgpd') and shutil.which('gobgp')), reason='no GoBGP here: package gobgpd')
def test_gobgp_announces_to_both(tmp_path: Path) -> None:
    api = str(free_port())
    with both(tmp_path, receiving()) as several, Tee(*(port for _, port in several)) as tee:
        configuration = tmp_path / 'gobgpd.toml'
        families = ''.join(GOBGP_FAMILY.format(name=name, paths=paths) for name, paths in GOBGP_FAMILIES.items())
        configuration.write_text(GOBGP.format(port=tee.port) + families)
        command = ('gobgpd', '-f', str(configuration), '--api-hosts', f'127.0.0.1:{api}', '--pprof-disable')
        with Process(tmp_path / 'gobgp', *command):

            def gobgp(*arguments: str) -> subprocess.CompletedProcess[str]:
                return subprocess.run(['gobgp', '-p', api, *arguments], capture_output=True, text=True, timeout=10)

            wait_for(lambda: gobgp('global').returncode == 0)
            for number in range(GOBGP_EACH):
                for route in gobgp_routes(number):
                    added = gobgp(*f'global rib add {route}'.split())
                    assert added.returncode == 0 and not added.stdout, (route, added)
            for receiver, _ in several:
                wait_for(lambda receiver=receiver: len(receiver.routes()) >= 4 * GOBGP_EACH)
            for number in range(0, GOBGP_EACH, 6):
                for route in gobgp_routes(number):
                    gobgp(*f'global rib del {route}'.split())
            for receiver, _ in several:
                wait_for(lambda receiver=receiver: len(receiver.routes()) >= 4 * (GOBGP_EACH + GOBGP_EACH // 6))
        stock, interned = (told_until_down(receiver) for receiver, _ in several)
        assert {(action, family) for action, family, _ in several[0][0].routes()} == {
            (action, family) for action in ('announce', 'withdraw') for family in FAMILIES
        }
    assert interned == stock


@pytest.mark.skipif(os.getuid() != 0, reason='only root is another user afterwards')
def test_in_the_background_as_another_user(tmp_path: Path) -> None:
    # not below the directory of this test, which only root may enter
    open_to_all, forbidden = Path(tempfile.mkdtemp()), tmp_path / 'forbidden'
    open_to_all.chmod(0o777)
    forbidden.mkdir()
    try:
        for place in (open_to_all, forbidden):
            log, pid_file = open_to_all / f'{place.name}.log', open_to_all / f'{place.name}.pid'
            program = (*INTERNED, f'--stats-file={place / "stats.prom"}', '--stats-every=0.1')
            log.touch()
            log.chmod(0o666)  # or ExaBGP, no longer root, loses it
            settings = {
                'exabgp_daemon_user': 'nobody',
                'exabgp_daemon_daemonize': 'true',
                'exabgp_daemon_pid': str(pid_file),
                'exabgp_log_destination': f'file:{log}',
            }
            with ExaBGP(tmp_path / f'{place.name}.daemon', program, receiving(), **settings) as started:
                assert started.exit_code() == 0  # of the process that forked
                pid = int(wait_for(lambda pid_file=pid_file: pid_file.exists() and pid_file.read_text()))
                try:
                    if place is open_to_all:
                        file = place / 'stats.prom'
                        wait_for(file.exists)
                        written = file.stat()
                        assert stat.S_IMODE(written.st_mode) == 0o644
                        assert written.st_uid != 0
                        wait_for(lambda file=file, written=written: file.stat().st_ino != written.st_ino)
                    else:
                        wait_for(lambda log=log: 'cannot write' in log.read_text())
                        time.sleep(0.5)
                finally:
                    os.kill(pid, signal.SIGTERM)
                wait_for(lambda pid=pid: not Path(f'/proc/{pid}').exists())
            lines = [line for line in log.read_text().splitlines() if 'exabgp-intern' in line]
            assert len(lines) == (2 if place is open_to_all else 3), lines
            assert 'interned, ExaBGP' in lines[0] and 'saved' in lines[-1]
            assert [each.name for each in place.glob('*stats*')] == (['stats.prom'] if place is open_to_all else [])
    finally:
        shutil.rmtree(open_to_all)


def test_the_command_line_of_a_running_daemon(tmp_path: Path) -> None:
    """The process that serves it is started by ExaBGP with the path of its own program: ours must have given that."""
    answers = []
    for name, program in PROGRAMS.items():
        (tmp_path / name / 'run').mkdir(parents=True)
        for pipe in ('exabgp.in', 'exabgp.out'):
            os.mkfifo(tmp_path / name / 'run' / pipe)
        root = {'EXABGP_ROOT': str(tmp_path / name)}
        with ExaBGP(tmp_path / name / 'daemon', program, receiving(), exabgp_api_cli='true', **root) as daemon:
            wait_for(lambda daemon=daemon: 'loaded new configuration' in daemon.output)
            done = subprocess.run(
                (*program, 'cli', 'show', 'neighbor', 'summary'),
                env={**os.environ, 'PYTHONPATH': str(ROOT), **root},
                capture_output=True,
                text=True,
                timeout=30,
            )
            answers.append((done.returncode, done.stdout, done.stderr))
    assert answers[1] == answers[0]
    assert ANNOUNCER in answers[0][1]
