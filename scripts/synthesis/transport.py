"""TCP: flags, retransmissions, ports used again."""
from .outcomes import dnat, drop, routed
from .packets import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG
from .scenario import BOTH, CLIENT, VIP, WEB1, WEB2, port, scenario, service

NO_FLOW = drop("no_flow")


@scenario("tcp-flags-first", "R4 R13", "All 256 flag bytes, each as the first packet of its port.",
          "SYN without ACK, FIN and RST begins a flow whatever ECE, CWR, PSH, URG; else no_flow.",
          services=[BOTH])
def tcp_flags_first(run):
    for flags in range(256):
        opens = flags & (SYN | ACK | FIN | RST) == SYN
        run.tcp(CLIENT, 40000 + flags, VIP, 80, dnat(WEB1, 8080) if opens else NO_FLOW,
                flags=flags, ack=1)
        run.tcp(CLIENT, 40000 + flags, WEB1["ip"], 81, routed(WEB1), flags=flags, ack=1)


@scenario("tcp-flags-established", "R5 R13", "All 256 flag bytes within a connection, both ways.",
          "all are translated; but a SYN of the server's begins a flow of its own, a direct one.",
          services=[BOTH])
def tcp_flags_established(run):
    connection = run.connection().open()
    for flags in range(256):
        connection.request(flags)
        opens = flags & (SYN | ACK | FIN | RST) == SYN
        connection.reply(flags, outcome=routed(CLIENT) if opens else None)
    connection.exchange()


@scenario("tcp-ecn-flags", "R4", "SYN, SYN-ACK and ACK with every combination of ECE and CWR.",
          "a SYN opens a connection with any of them.", services=[BOTH])
def tcp_ecn_flags(run):
    for n, bits in enumerate((0, ECE, CWR, ECE | CWR)):
        connection = run.connection(client_port=40000 + n)
        connection.request(SYN | bits, tos=n)
        connection.reply(SYN | ACK | bits, tos=n)
        connection.request(ACK | bits, tos=n)
        connection.exchange(tos=n)


@scenario("ack-without-flow", "R4", "ACK, data, SYN-ACK, FIN and RST to a Service, without a SYN.",
          "no_flow; the same to a pod is routed.", services=[BOTH])
def ack_without_flow(run):
    for flags, payload in ((ACK, b""), (PSH | ACK, b"data"), (SYN | ACK, b""), (FIN | ACK, b""),
                           (RST, b""), (RST | ACK, b""), (URG | ACK, b"!")):
        run.tcp(CLIENT, 40000, VIP, 80, NO_FLOW, flags=flags, payload=payload)
        run.tcp(CLIENT, 40000, WEB1["ip"], 8080, routed(WEB1), flags=flags, payload=payload)
    # None of it has left anything behind.
    run.tcp(WEB1, 8080, CLIENT["ip"], 40000, routed(CLIENT), flags=SYN | ACK)
    run.connection().open().exchange().close()


@scenario("tcp-fast-open", "R4 R7", "SYN with a cookie and data, SYN-ACK with data (RFC 7413).",
          "translated with their payload; the connection goes on as any other.", services=[BOTH])
def tcp_fast_open(run):
    cookie = bytes([34, 10]) + bytes(range(8)) + bytes([1, 1])
    connection = run.connection()
    connection.request(SYN, b"GET / HTTP/1.0\r\n\r\n", options=cookie)
    connection.reply(SYN | ACK, b"HTTP/1.0 200 OK\r\n\r\n")
    connection.request()
    connection.exchange().close()


@scenario("syn-retransmit", "R4 R5", "A SYN is sent four times, the SYN-ACK twice.",
          "all go to the same endpoint, though another comes in between.",
          pods=(CLIENT, WEB1, WEB2), services=[BOTH])
def syn_retransmit(run):
    connection = run.connection()
    connection.request(SYN)
    run.change(services=[service("both", port("TCP", 80, (WEB1, 8080, 1), (WEB2, 8080, 100)))])
    for wait in (1, 2, 4):
        run.wait(wait)
        connection.client_seq = 1000
        connection.request(SYN)
    for _ in range(2):
        connection.server_seq = 5000
        connection.reply(SYN | ACK)
    connection.request()
    connection.exchange().close()


@scenario("port-reuse-established", "R5", "A new SYN from the ports of a connection that is open.",
          "the same endpoint gets it, and both its answers: it knows what to do.",
          pods=(CLIENT, WEB1, WEB2), services=[BOTH])
def port_reuse_established(run):
    connection = run.connection().open().exchange()
    run.change(services=[service("both", port("TCP", 80, (WEB1, 8080, 1), (WEB2, 8080, 100)))])
    again = run.connection()
    again.client_seq = 900_000
    again.request(SYN)
    # RFC 5961: a challenge ACK, and the client resets or goes on.
    connection.reply(ACK)
    connection.exchange()
    again.request(SYN)
    again.reply(SYN | ACK)
    again.request()
    again.exchange().close()


@scenario("port-reuse-closed", "R5 R6", "The ports of a closed connection at once and after 130 s.",
          "at once the same endpoint, afterwards whichever the Service has.",
          pods=(CLIENT, WEB1, WEB2), services=[BOTH])
def port_reuse_closed(run):
    run.connection().open().exchange().close()
    run.connection().open().exchange().close()
    run.wait(130)
    run.change(services=[service("both", port("TCP", 80, (WEB2, 8080)))])
    run.connection(WEB2).open().exchange().close()


@scenario("port-reuse-unanswered", "R6", "A SYN from the ports of a closing flow, never answered.",
          "it counts as traffic of the flow, which is taken for established (a limit).",
          services=[BOTH])
def port_reuse_unanswered(run):
    run.connection().open().close()
    run.wait(70)
    again = run.connection()
    again.request(SYN)
    run.wait(200)
    again.request()


@scenario("tcp-segments", "R12 R5", "Odd payloads, options, urgent data, wrapping numbers.",
          "translated, with right checksums.", services=[BOTH])
def tcp_segments(run):
    connection = run.connection()
    connection.client_seq, connection.server_seq = 0xFFFFFFF0, 0xFFFFFFFE
    options = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7])
    connection.request(SYN, options=options)
    connection.reply(SYN | ACK, options=options)
    connection.client_seq &= 0xFFFFFFFF
    connection.server_seq &= 0xFFFFFFFF
    connection.request()
    for size in (0, 1, 2, 3, 99, 100, 1459, 1460):
        connection.request(PSH | ACK, bytes([0xFF]) * size, options=bytes([1] * 40))
        connection.client_seq &= 0xFFFFFFFF
        connection.reply(PSH | ACK | URG, bytes([size & 0xFF]) * size)
        connection.server_seq &= 0xFFFFFFFF
