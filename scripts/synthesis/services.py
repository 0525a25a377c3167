"""Services: selection, shared endpoints, changes mid-run, the table of flows."""
from .collisions import ONE_BUCKET, TCP_IN_BUCKET
from .link import ask as ask_for
from .outcomes import TO_HOST, dnat, drop, one_of, routed, same, snat
from .packets import ACK, ICMP, PSH, SYN, icmp
from .scenario import (BOTH, CLIENT, ECHO, HOST, VIP, VIP2, WEB1, WEB2, WEB3, pod, port, scenario,
                       service)

GONE, NO_FLOW, NO_ENDPOINT = drop("endpoint_gone"), drop("no_flow"), drop("no_endpoint")
NO_SERVICE, COLLISION = drop("no_service"), drop("nat_collision")
PODS = (CLIENT, WEB1, WEB2, WEB3)


def web(*servers, number=8080):
    """TCP 80 and UDP 53, by these pods."""
    return service("web", port("TCP", 80, *[(s, number) for s in servers]),
                   port("UDP", 53, *[(s, 5353) for s in servers]))


def ask(run, server, sport=40000, reply=True):
    """A datagram to the Service, and its answer."""
    run.udp(CLIENT, sport, VIP, 53, dnat(server, 5353), b"query")
    if reply:
        run.udp(server, 5353, CLIENT["ip"], sport, snat(VIP, 53, CLIENT), b"answer")


def spread(run, count, servers, number=5353, batch=50):
    """Flows with two datagrams each, with pauses in which the table empties."""
    for n in range(count):
        if n and n % batch == 0:
            run.wait(60)
        for _ in range(2):
            run.udp(CLIENT, 40000 + n, VIP, 53,
                    one_of(n, *[dnat(s, number) for s in servers]), b"")


@scenario("weighted-endpoints", "R4 R5", "Two endpoints of weights 1 and 3, 240 flows.",
          "about a quarter goes to the first, and a flow stays where it was.",
          pods=(CLIENT, WEB1, WEB2),
          services=[service("dns", port("UDP", 53, (WEB1, 5353, 1), (WEB2, 5353, 3)))])
def weighted_endpoints(run):
    spread(run, 240, (WEB1, WEB2))
    run.shares = {WEB1["port"]: (80, 160), WEB2["port"]: (320, 400)}


MANY = [pod(f"web-{n}", 10 + n) for n in range(20)]


@scenario("many-endpoints", "R4 R5", "Twenty endpoints of one Service, 200 flows.",
          "every endpoint gets some, and a flow stays where it was.", pods=(CLIENT, *MANY),
          services=[service("dns", port("UDP", 53, *[(p, 5353) for p in MANY]))])
def many_endpoints(run):
    spread(run, 200, MANY)
    run.shares = {p["port"]: (2, 50) for p in MANY}


@scenario("weight-zero", "R4 R8", "An endpoint of weight 0 from the start, and one set to 0 later.",
          "it gets no new flow and keeps the TCP connection it has.", pods=PODS,
          services=[service("web", port("TCP", 80, (WEB1, 8080), (WEB2, 8080, 0)))])
def weight_zero(run):
    old = run.connection().open()
    run.change(services=[service("web", port("TCP", 80, (WEB1, 8080, 0), (WEB2, 8080, 2)))])
    old.exchange()
    for n in range(20):
        run.connection(WEB2, client_port=41000 + n).open()
    old.exchange().close()


@scenario("no-endpoints", "R4 R8", "A Service without endpoints gets one, and loses it again.",
          "no_endpoint while there is none; the connection made in between lives on.",
          pods=PODS, services=[web()])
def no_endpoints(run):
    run.tcp(CLIENT, 40000, VIP, 80, NO_ENDPOINT)
    run.udp(CLIENT, 40000, VIP, 53, NO_ENDPOINT)
    run.tcp(CLIENT, 40000, VIP, 80, NO_FLOW, flags=ACK)
    run.change(services=[web(WEB1)])
    connection = run.connection().open()
    ask(run, WEB1)
    run.change(services=[web()])
    connection.exchange()
    run.udp(CLIENT, 40000, VIP, 53, NO_ENDPOINT)
    run.tcp(CLIENT, 40001, VIP, 80, NO_ENDPOINT)
    connection.close()


@scenario("unknown-service-port", "R4", "TCP, UDP and ICMP to ports that the Service has not.",
          "no_service, or no_flow for TCP that is no SYN; never to the host.", services=[BOTH])
def unknown_service_port(run):
    for number in (0, 1, 53, 79, 81, 443, 8080, 65535):
        run.tcp(CLIENT, 40000, VIP, number, NO_SERVICE)
        run.tcp(CLIENT, 40000, VIP, number, NO_FLOW, flags=ACK)
    for number in (0, 52, 54, 80, 5353, 65535):
        run.udp(CLIENT, 40000, VIP, number, NO_SERVICE)
    run.ip(CLIENT, VIP, ICMP, icmp(), NO_SERVICE)
    run.ip(CLIENT, VIP, 132, bytes(12), NO_SERVICE)


@scenario("endpoint-added", "R5 R4", "A second endpoint comes while connections are open.",
          "TCP and UDP flows stay with the first; new flows go to either.", pods=PODS,
          services=[web(WEB1)])
def endpoint_added(run):
    connections = [run.connection(client_port=41000 + n).open() for n in range(8)]
    for n in range(8):
        ask(run, WEB1, 42000 + n)
    run.change(services=[web(WEB1, WEB2)])
    for connection in connections:
        connection.exchange()
    for n in range(8):
        ask(run, WEB1, 42000 + n)
    for n in range(24):
        run.udp(CLIENT, 43000 + n, VIP, 53, one_of(n, dnat(WEB1, 5353), dnat(WEB2, 5353)), b"")
    for connection in connections:
        connection.close()
    run.shares = {WEB2["port"]: (6, 18)}


@scenario("endpoint-removed-tcp", "R8 R5", "The endpoint leaves the Service, later its pod goes.",
          "no new flow from then on; open ones live until the pod is gone: endpoint_gone.",
          pods=PODS, services=[web(WEB1)])
def endpoint_removed_tcp(run):
    old, half = run.connection().open(), run.connection(client_port=40001)
    half.request(SYN)
    run.change(services=[web(WEB2)])
    old.exchange()
    # The handshake under way may end; the SYN may even be repeated.
    half.client_seq = 1000
    half.request(SYN)
    half.reply(SYN | ACK)
    half.request()
    new = run.connection(WEB2, client_port=40002).open().exchange()
    run.wait(3600)
    old.exchange()
    run.change(pods=[CLIENT, WEB2, WEB3])
    old.refused("endpoint_gone", PSH | ACK, b"anyone?")
    half.refused("endpoint_gone")
    new.exchange()
    run.wait(15)
    old.refused("no_flow")
    run.connection(WEB2).open().exchange().close()
    new.close()


def reuse(run, age):
    run.connection().open()
    run.wait(age)
    run.change(services=[web(WEB2)])
    run.tcp(CLIENT, 40000, VIP, 80, GONE)
    run.wait(15)
    run.connection(WEB2).open().exchange().close()


@scenario("endpoint-removed-reuse", "R8 R5", "A SYN from the ports of a flow whose endpoint left.",
          "refused: the flow is ended soon, and then the SYN begins one at the other endpoint.",
          pods=PODS, services=[web(WEB1)])
def endpoint_removed_reuse(run):
    reuse(run, 70)


@scenario("endpoint-removed-reuse-young", "R8 R5",
          "A SYN from the ports of a flow that is seconds old and whose endpoint left.",
          "refused: the flow is ended soon, and then the SYN begins one at the other endpoint.",
          pods=PODS, services=[web(WEB1)])
def endpoint_removed_reuse_young(run):
    reuse(run, 0)


@scenario("endpoint-removed-after-reset", "R8 R6",
          "A connection is reset and its endpoint leaves; a SYN comes from the same ports.",
          "it begins a flow at the other endpoint.", pods=PODS, services=[web(WEB1)])
def endpoint_removed_after_reset(run):
    run.connection().open().reset()
    run.change(services=[web(WEB2)])
    run.wait(15)
    run.connection(WEB2).open().exchange().close()


@scenario("endpoint-removed-udp", "R8 R7", "The endpoint of replied and unreplied UDP flows goes.",
          "the next datagram goes to the other endpoint; a late reply is still translated.",
          pods=PODS, services=[web(WEB1)])
def endpoint_removed_udp(run):
    for n in range(10):
        ask(run, WEB1, 40000 + n, reply=n % 2 == 0)
    run.change(services=[web(WEB2)])
    for n in range(10):
        run.udp(WEB1, 5353, CLIENT["ip"], 40000 + n, snat(VIP, 53, CLIENT), b"late")
        ask(run, WEB2, 40000 + n)
    run.change(services=[web()])
    run.udp(CLIENT, 40000, VIP, 53, NO_ENDPOINT)
    run.change(services=[web(WEB1)])
    for n in range(10):
        ask(run, WEB1, 40000 + n)


@scenario("endpoint-flapping", "R8 R5", "The endpoint leaves and comes back, over and over.",
          "TCP stays with it throughout; UDP goes where the Service points at the time.",
          pods=PODS, services=[web(WEB1)])
def endpoint_flapping(run):
    connection = run.connection().open()
    ask(run, WEB1)
    for _ in range(70):
        run.change(services=[web(WEB2)])
        ask(run, WEB2)
        run.change(services=[web(WEB1)])
        ask(run, WEB1)
    connection.exchange().close()


@scenario("pod-removed", "R8 R2", "A pod goes together with its place in the Service.",
          "TCP: endpoint_gone; UDP moves; direct traffic to it goes to the host.", pods=PODS,
          services=[web(WEB1)])
def pod_removed(run):
    connection = run.connection().open()
    ask(run, WEB1)
    run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(WEB1))
    run.change(pods=[CLIENT, WEB2, WEB3], services=[web(WEB2)])
    connection.refused("endpoint_gone")
    ask(run, WEB2)
    run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), TO_HOST)
    run.tcp(CLIENT, 40009, WEB1["ip"], 8080, TO_HOST)
    run.connection(WEB2, client_port=40001).open()


@scenario("pod-moved", "R5 R1", "A pod's MAC address and port change, its name and IP do not.",
          "its connections follow it.", services=[web(WEB1)])
def pod_moved(run):
    moved = dict(WEB1, mac="02:00:00:00:02:77", port=9)
    connection = run.connection().open()
    ask(run, WEB1)
    run.change(pods=[CLIENT, moved])
    connection.server = moved
    connection.exchange().close()
    ask(run, moved)
    run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(moved))


@scenario("pod-replaced", "R8 R4", "Another pod gets the address of one that is gone.",
          "the old one's connections do not reach it; new ones and UDP do.", services=[web(WEB1)])
def pod_replaced(run):
    other = dict(WEB1, name="web-9", mac="02:00:00:00:02:99", port=9)
    connection = run.connection().open()
    ask(run, WEB1)
    run.change(pods=[CLIENT], services=[web()])
    connection.refused("endpoint_gone")
    run.change(pods=[CLIENT, other], services=[web(other)])
    connection.refused("endpoint_gone", PSH | ACK, b"anyone?")
    ask(run, other)
    run.connection(other, client_port=40001).open().exchange().close()
    run.ip(CLIENT, WEB1["ip"], ICMP, icmp(), routed(other))


@scenario("service-removed", "R8 R2", "A Service is removed while flows are open.",
          "TCP lives on; all else to its address goes to the host, unmodified.", pods=PODS,
          services=[web(WEB1)])
def service_removed(run):
    connection = run.connection().open()
    ask(run, WEB1)
    run.change(services=[])
    connection.exchange()
    run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), b"late")
    run.udp(CLIENT, 40000, VIP, 53, TO_HOST)
    run.tcp(CLIENT, 40001, VIP, 80, TO_HOST)
    run.tcp(CLIENT, 40001, VIP, 80, TO_HOST, flags=ACK)
    run.ip(CLIENT, VIP, ICMP, icmp(), TO_HOST)
    connection.close()


@scenario("service-readded", "R8 R5", "A Service is removed and comes back with another endpoint.",
          "TCP stays with its endpoint; UDP and new flows go to the new one.", pods=PODS,
          services=[web(WEB1)])
def service_readded(run):
    connection = run.connection().open()
    ask(run, WEB1)
    run.change(services=[])
    connection.exchange()
    run.change(services=[web(WEB2)])
    connection.exchange()
    ask(run, WEB2)
    run.connection(WEB2, client_port=40001).open().exchange().close()
    run.change(services=[])
    run.change(services=[web(WEB1)])
    ask(run, WEB1)
    connection.exchange().close()


@scenario("service-port-changed", "R5 R8", "The target port of a Service changes.",
          "open connections keep the old one; new ones and UDP use the new one.", pods=PODS,
          services=[web(WEB1)])
def service_port_changed(run):
    old = run.connection().open()
    ask(run, WEB1)
    run.change(services=[service("web", port("TCP", 80, (WEB1, 9090)),
                                 port("UDP", 53, (WEB1, 9053)))])
    old.exchange()
    new = run.connection(WEB1, 9090, client_port=40001).open().exchange()
    run.udp(CLIENT, 40000, VIP, 53, dnat(WEB1, 9053))
    run.udp(WEB1, 9053, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT))
    old.close()
    new.close()


@scenario("service-port-removed", "R8 R4", "One port of a Service goes, the other stays.",
          "its connections live on, new ones are refused with no_service.", pods=PODS,
          services=[web(WEB1)])
def service_port_removed(run):
    connection = run.connection().open()
    ask(run, WEB1)
    run.change(services=[service("web", port("UDP", 53, (WEB1, 5353)))])
    connection.exchange()
    run.tcp(CLIENT, 40001, VIP, 80, NO_SERVICE)
    run.tcp(CLIENT, 40001, VIP, 80, NO_FLOW, flags=ACK)
    ask(run, WEB1)
    connection.close()


@scenario("remote-endpoint", "R4 R7", "The endpoint is a pod of another node.",
          "translated and handed to the host, which routes it; its replies are translated, too.",
          pods=(CLIENT,), services=[service("web", port("TCP", 80, ("10.244.9.7", 8080)),
                                            port("UDP", 53, ("10.244.9.7", 5353)))])
def remote_endpoint(run):
    out, back = dnat(None, 8080, "10.244.9.7"), snat(VIP, 80, CLIENT)

    def reply(flags, payload=b""):
        run.tcp(HOST, 8080, CLIENT["ip"], 40000, back, flags=flags, payload=payload, ack=1001,
                src="10.244.9.7")

    run.tcp(CLIENT, 40000, VIP, 80, out)
    reply(SYN | ACK)
    run.tcp(CLIENT, 40000, VIP, 80, out, flags=ACK)
    run.tcp(CLIENT, 40000, VIP, 80, out, flags=PSH | ACK, payload=b"request")
    reply(PSH | ACK, b"answer")
    run.udp(CLIENT, 40000, VIP, 53, dnat(None, 5353, "10.244.9.7"))
    run.udp(HOST, 5353, CLIENT["ip"], 40000, snat(VIP, 53, CLIENT), src="10.244.9.7")


@scenario("host-endpoint", "R4 R7", "The endpoint is the host itself, as of the API server.",
          "translated and routed to the host's port with its MAC; replies are translated.",
          services=[service("api", port("TCP", 443, (HOST, 6443)))])
def host_endpoint(run):
    run.connection(HOST, 6443, vip_port=443).open().exchange().close()


SHARED = [service("one", port("TCP", 80, (WEB1, 8080)), port("UDP", 53, (WEB1, 5353))),
          service("two", port("TCP", 80, (WEB1, 8080)), port("TCP", 8000, (WEB1, 8080)),
                  port("UDP", 53, (WEB1, 5353)), ip=VIP2)]


@scenario("services-share-endpoint", "R7", "Three Service ports lead to one endpoint port at once.",
          "each reply bears the address and port that its client asked.",
          pods=(CLIENT, WEB1, WEB2), services=SHARED)
def services_share_endpoint(run):
    connections = [
        run.connection(client_port=40000), run.connection(client_port=40001, vip=VIP2),
        run.connection(client_port=40002, vip=VIP2, vip_port=8000),
        run.connection(client=WEB2, client_port=40000, vip=VIP2)]
    for step in ("open", "exchange", "exchange", "close"):
        for connection in connections:
            getattr(connection, step)()
    for n in range(2):
        for sport, vip in ((40000, VIP), (40001, VIP2)):
            run.udp(CLIENT, sport, vip, 53, dnat(WEB1, 5353))
        for sport, vip in ((40001, VIP2), (40000, VIP)):
            run.udp(WEB1, 5353, CLIENT["ip"], sport, snat(vip, 53, CLIENT))


@scenario("nat-collision-tcp", "R7 R9", "One client port to two Services with the same endpoint.",
          "the second is refused with nat_collision, until the first is over; the first lives.",
          services=SHARED)
def nat_collision_tcp(run):
    first = run.connection().open()
    for vip, number in ((VIP2, 80), (VIP2, 8000)):
        run.tcp(CLIENT, 40000, vip, number, COLLISION)
        run.tcp(CLIENT, 40000, vip, number, NO_FLOW, flags=ACK)
    first.exchange().close()
    run.tcp(CLIENT, 40000, VIP2, 80, COLLISION)
    run.wait(130)
    run.connection(vip=VIP2).open().exchange().close()


@scenario("nat-collision-after-reset", "R7 R6 R9",
          "A connection is reset; its ports are used to another Service with the same endpoint.",
          "late data of the first is no_flow, and does not get into the second.",
          services=SHARED)
def nat_collision_after_reset(run):
    first = run.connection().open()
    first.reset()
    run.wait(15)
    second = run.connection(vip=VIP2).open()
    first.refused("no_flow", PSH | ACK, b"late")
    second.exchange().close()


@scenario("nat-collision-udp", "R7 R9", "One client port to two UDP Services with one endpoint.",
          "the second is refused with nat_collision while the first is remembered.",
          services=SHARED)
def nat_collision_udp(run):
    ask(run, WEB1)
    run.udp(CLIENT, 40000, VIP2, 53, COLLISION)
    ask(run, WEB1)
    run.wait(130)
    run.udp(CLIENT, 40000, VIP2, 53, dnat(WEB1, 5353))
    run.udp(WEB1, 5353, CLIENT["ip"], 40000, snat(VIP2, 53, CLIENT))
    run.udp(CLIENT, 40000, VIP, 53, COLLISION)


@scenario("structured-tuples", "R9 R4", "Flows whose addresses and ports differ in a few low bits.",
          "they spread over the table: every one is kept, with its reply.",
          services=[ECHO, service("web", port("TCP", 80, (WEB1, 8080)), ip=VIP2)])
def structured_tuples(run):
    tuples = [(f"10.244.{8 + n // 16}.{n % 16 * 16}", 32768 + n // 16 * 256) for n in range(64)]
    for src, sport in tuples:
        run.udp(HOST, sport, VIP, 7000, dnat(WEB1, 7000), b"", src=src)
    for src, sport in tuples:
        run.udp(WEB1, 7000, src, sport, snat(VIP, 7000, None), b"")


@scenario("flow-table-full", "R9", "Seven flows whose entries lie in one bucket of four.",
          "four are served and stay so, the rest is refused, until an entry has expired.",
          services=[ECHO])
def flow_table_full(run):
    def send(flow, outcome, payload=b""):
        run.udp(HOST, flow[1], VIP, 7000, outcome, payload, src=flow[0])

    kept, late = ONE_BUCKET[:4], ONE_BUCKET[4:]
    for flow in kept:
        send(flow, dnat(WEB1, 7000))
    for flow in late:
        send(flow, drop("flow_table_full"))
    for flow in kept:
        send(flow, dnat(WEB1, 7000), b"again")
        run.udp(WEB1, 7000, flow[0], flow[1], snat(VIP, 7000, None), b"reply")
    for flow in late:
        send(flow, drop("flow_table_full"), b"again")
    run.wait(60)
    for flow in kept[1:]:
        send(flow, dnat(WEB1, 7000), b"keep")
    run.wait(70)
    send(late[0], dnat(WEB1, 7000))
    send(late[1], drop("flow_table_full"))
    for flow in kept[1:]:
        send(flow, dnat(WEB1, 7000), b"still")


@scenario("flow-table-full-handshake", "R9 R6",
          "A handshake ends when there is no room for the established flow's entry.",
          "the connection lives on as one that was accepted, idle for 70 s, too.",
          services=[service("echo", port("UDP", 7000, (WEB1, 7000)),
                            port("TCP", 80, (WEB1, 8080)))])
def flow_table_full_handshake(run):
    for src, sport in ONE_BUCKET[:4]:
        run.udp(HOST, sport, VIP, 7000, dnat(WEB1, 7000), b"", src=src)
        run.udp(WEB1, 7000, src, sport, snat(VIP, 7000, None), b"")
    src, sport = TCP_IN_BUCKET
    run.tcp(HOST, sport, VIP, 80, dnat(WEB1, 8080), src=src)
    run.tcp(WEB1, 8080, src, sport, snat(VIP, 80, None), flags=SYN | ACK)
    run.tcp(HOST, sport, VIP, 80, dnat(WEB1, 8080), flags=ACK, src=src)
    run.wait(70)
    for other, number in ONE_BUCKET[:4]:
        run.udp(HOST, number, VIP, 7000, dnat(WEB1, 7000), b"", src=other)
    run.tcp(WEB1, 8080, src, sport, snat(VIP, 80, None), flags=PSH | ACK, payload=b"x")
    run.tcp(HOST, sport, VIP, 80, dnat(WEB1, 8080), flags=ACK, src=src)


CROWD = [pod(f"pod-{n}", 20 + n) for n in range(300)]


@scenario("many-pods", "R15 R1 R3", "300 pods: more than fit an octet of addresses.",
          "ping and ARP reach every one of them.", pods=(CLIENT, *CROWD))
def many_pods(run):
    for to in CROWD:
        run.ip(CLIENT, to["ip"], ICMP, icmp(payload=b""), routed(to))
        ask_for(run, CLIENT, to["ip"], same(to["port"]))


@scenario("many-services", "R15 R4 R7", "200 Service ports: more than upstream's 128.",
          "each is translated to its own endpoint and back.", pods=(CLIENT, WEB1, WEB2),
          services=[service(f"svc-{n}", port("UDP", 1000 + n, ((WEB1, WEB2)[n % 2], 2000 + n)),
                            ip=f"10.96.{1 + n // 100}.{1 + n % 100}") for n in range(200)])
def many_services(run):
    for n, s in enumerate(run.services):
        if n and n % 50 == 0:
            run.wait(180)
        server = (WEB1, WEB2)[n % 2]
        run.udp(CLIENT, 40000, s["clusterIP"], 1000 + n, dnat(server, 2000 + n), b"")
        run.udp(server, 2000 + n, CLIENT["ip"], 40000, snat(s["clusterIP"], 1000 + n, CLIENT), b"")
        run.udp(CLIENT, 40000, s["clusterIP"], 1001 + n, NO_SERVICE, b"")
