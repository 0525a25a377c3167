"""Timers: how long a flow is remembered (R6).

The engine's timers end up to 2^32 cycles early, so waits keep clear of the
limits by five seconds and more.
"""
from .ip import datagram
from .outcomes import dnat, drop, routed, snat
from .packets import ACK, FIN, PSH, RST, SYN
from .scenario import BOTH, CLIENT, VIP, WEB1, port, scenario, service

HOUR = 3600


def query(run, sport=40000):
    run.udp(CLIENT, sport, VIP, 53, dnat(WEB1, 5353), b"query")


def answer(run, sport=40000, known=True):
    """An answer; of a flow that is not known any more it keeps its own address."""
    run.udp(WEB1, 5353, CLIENT["ip"], sport, snat(VIP, 53, CLIENT) if known else routed(CLIENT),
            b"answer")


@scenario("tcp-idle", "R5 R6", "A connection idle for 10 minutes, then 11 hours, then 11 more.",
          "it lives: traffic starts the 12 hours again, in both directions.", services=[BOTH])
def tcp_idle(run):
    connection = run.connection().open()
    for hours in (1 / 6, 11, 11):
        run.wait(hours * HOUR)
        connection.exchange()
    run.wait(11 * HOUR)
    connection.reply(PSH | ACK, b"push")
    connection.request()
    run.wait(11 * HOUR)
    connection.close()


@scenario("tcp-idle-expired", "R6", "A connection idle for 13 hours.",
          "no_flow, and its server's data is nobody's; a SYN begins anew.", services=[BOTH])
def tcp_idle_expired(run):
    connection = run.connection().open().exchange()
    run.wait(13 * HOUR)
    connection.refused("no_flow", PSH | ACK, b"hello?")
    connection.untranslated_reply(PSH | ACK, b"hello?")
    run.connection().open().exchange().close()


@scenario("half-open-expires", "R6", "Handshakes that are not completed within 60 seconds.",
          "forgotten: the late ACK is no_flow; one within 50 seconds is in time.",
          services=[BOTH])
def half_open_expires(run):
    lost, late, slow = (run.connection(client_port=40000 + n) for n in range(3))
    for connection in (lost, late, slow):
        connection.request(SYN)
    late.reply(SYN | ACK)
    run.wait(50)
    slow.reply(SYN | ACK)
    slow.request()
    run.wait(20)
    lost.refused("no_flow")
    late.refused("no_flow")
    late.untranslated_reply(SYN | ACK)
    run.wait(HOUR)
    slow.exchange().close()


@scenario("syn-flood", "R6 R9", "100 SYNs from as many ports, none of them answered.",
          "each is served, and all are forgotten after 60 seconds.", services=[BOTH])
def syn_flood(run):
    for n in range(100):
        run.tcp(CLIENT, 40000 + n, VIP, 80, dnat(WEB1, 8080))
    run.wait(70)
    for n in range(100):
        run.tcp(CLIENT, 40000 + n, VIP, 80, drop("no_flow"), flags=ACK)


@scenario("udp-ageing", "R6 R7", "UDP unreplied for 35 s, kept up, replied, silent for 130 s.",
          "unreplied 30 s, stream 120 s; every datagram starts the timer again.", services=[BOTH])
def udp_ageing(run):
    query(run)
    run.wait(35)
    answer(run, known=False)
    # Sent every 20 seconds, it stays.
    for _ in range(4):
        query(run)
        run.wait(20)
    answer(run)
    # Now a stream, by either side.
    for _ in range(2):
        run.wait(110)
        query(run)
        run.wait(110)
        answer(run)
    run.wait(130)
    answer(run, known=False)
    query(run)
    run.wait(35)
    answer(run, known=False)


@scenario("udp-pod-readded", "R6 R7 R8 R11",
          "UDP to a pod that goes and comes back, with fragments, replies and silence after that.",
          "entries for replies outlive those for requests and the other way round, and neither "
          "leads astray.", services=[BOTH])
def udp_pod_readded(run):
    ports = (40000, 40001)
    for sport in ports:
        query(run, sport)
    run.change(pods=[CLIENT], services=[service("both", port("UDP", 53))])
    run.change(pods=[CLIENT, WEB1], services=[BOTH])
    # New entries for requests, the old ones for replies.
    for sport in ports:
        query(run, sport)
    for piece in datagram(CLIENT, ports[0], VIP, 53, payload=bytes(40), sizes=(24,)):
        run.send(CLIENT, piece, dnat(WEB1, 5353))
    run.wait(20)
    query(run, ports[0])
    run.wait(20)
    # The entry for requests that the one for replies names is gone.
    answer(run, ports[0])
    # The entry for replies is gone, the one for requests is not.
    query(run, ports[1])
    answer(run, ports[1])


@scenario("fin-ageing", "R6", "FINs of both sides, then late packets within and after 120 s.",
          "translated while the flow is closing, then no_flow.", services=[BOTH])
def fin_ageing(run):
    connection = run.connection().open().exchange()
    connection.close()
    run.wait(60)
    connection.reply(FIN | ACK)
    connection.request()
    run.wait(130)
    connection.refused("no_flow")
    connection.untranslated_reply(FIN | ACK)


@scenario("half-close", "R6", "The client closes its half; the server goes on for ten minutes.",
          "traffic keeps the closing flow; silence ends it.", services=[BOTH])
def half_close(run):
    connection = run.connection().open()
    connection.request(FIN | ACK)
    for _ in range(6):
        run.wait(100)
        connection.reply(PSH | ACK, b"more")
        connection.request()
    run.wait(130)
    connection.refused("no_flow")


def resets(run, age):
    first, second = run.connection().open(), run.connection(client_port=40001).open()
    run.wait(age)
    first.request(RST | ACK)
    second.reply(RST)
    run.wait(3)
    first.reply(ACK)
    second.request(ACK)
    run.wait(16)
    for connection in (first, second):
        connection.refused("no_flow", PSH | ACK, b"data")
        connection.untranslated_reply(ACK)


@scenario("rst-ageing", "R6", "RST of the client and of the server, 70 s after the handshake.",
          "the flow is forgotten after 10 seconds, in both directions.", services=[BOTH])
def rst_ageing(run):
    resets(run, 70)


@scenario("rst-ageing-young", "R6 R7", "RST of the client and of the server, at once.",
          "the flow is forgotten after 10 seconds, in both directions.", services=[BOTH])
def rst_ageing_young(run):
    resets(run, 0)


@scenario("rst-half-open", "R6", "A SYN is answered by RST; another is taken back by RST.",
          "forgotten after 10 seconds, not 60.", services=[BOTH])
def rst_half_open(run):
    refused, taken_back = run.connection(), run.connection(client_port=40001)
    refused.request(SYN)
    refused.reply(RST | ACK)
    taken_back.request(SYN)
    taken_back.request(RST)
    run.wait(16)
    refused.refused("no_flow")
    taken_back.refused("no_flow")
    taken_back.untranslated_reply(SYN | ACK)


@scenario("timers-configured", "R6", "All six timers set in the state file.",
          "each holds: established 300 s, half-open 20, closing 30, reset 6, UDP 15 and 40.",
          services=[BOTH], timers={"tcpReset": 6, "udpUnreplied": 15, "tcpHalfOpen": 20,
                                   "tcpEstablished": 300, "tcpClosing": 30, "udpStream": 40})
def timers_configured(run):
    half = run.connection(client_port=40001)
    half.request(SYN)
    query(run, 40001)
    run.wait(21)
    half.refused("no_flow")
    answer(run, 40001, known=False)
    query(run)
    answer(run)
    idle, closed, reset = (run.connection(client_port=40002 + n).open() for n in range(3))
    run.wait(30)
    query(run)
    closed.close()
    reset.reset()
    run.wait(1)
    reset.reply()
    run.wait(12)
    reset.refused("no_flow")
    closed.reply()
    run.wait(15)
    closed.request()
    answer(run)
    run.wait(35)
    closed.refused("no_flow")
    run.wait(10)
    answer(run, known=False)
    run.wait(150)
    idle.exchange()
    run.wait(310)
    idle.refused("no_flow")
