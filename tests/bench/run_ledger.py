#!/usr/bin/python3
"""What the ledger costs: the gateway beside the same gateway with a ledger that writes nothing (null_ledger.c).

    cmake --build build --target bench_ledger_cost       or
    tests/bench/run_ledger.py [--build build] [--rounds 5]

32 clients push Bundles over TLS to one recipient.  Rounds of the two are interleaved; the median of each is taken.  Prints bundles/s and CPU microseconds a
Bundle of all threads of the gateway, and both ratios: 1.00 is a ledger that costs nothing, the target is 0.80.  Client and sink have a processor of their own.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import tempfile

import run_gateway as load

SIZES = {"5 KB": (5_000, 2000), "100 KB": (100_000, 400)}
CLIENTS = 32
SERVERS = {"complete": "sluice", "null": "gateway_null_ledger"}


def opened(build, d, name, sink_port, processes):
    """A gateway with a store of its own."""
    folder = f"{d}/{name}"
    os.makedirs(folder)
    for file in os.listdir(d):
        if file.endswith((".pem", ".key")):
            shutil.copy(f"{d}/{file}", folder)
    port, admin = load.free_ports(2)
    with open(f"{folder}/sluice.conf", "w") as f:
        f.write(load.sluice_conf(folder, port, admin, sink_port))
    with open(f"{folder}/log", "w") as log:
        server = load.start([f"{build}/{SERVERS[name]}", "serve", "-c", f"{folder}/sluice.conf"], load.CPUS[0], stderr=log)
    processes.append(server)
    load.wait_for(port, server)
    return server, port


def run(build, d, processes, rounds):
    load.certificates(d)
    for size, (length, _) in SIZES.items():
        pathlib.Path(f"{d}/{size.replace(' ', '')}.json").write_text(load.bundle(length))
    sink_port = load.free_ports(1)[0]
    sink = load.Sink(build, sink_port)
    processes.append(sink.process)
    servers = {name: opened(build, d, name, sink_port, processes) for name in SERVERS}
    print(f"{CLIENTS} clients   {'bundles/s':>22} {'ratio':>7}   {'CPU us a Bundle':>20} {'ratio':>7}\n{'':12}{'complete':>12}{'null':>11}{'':8}{'complete':>14}{'null':>10}")
    for size, (_, requests) in SIZES.items():
        found = {name: [] for name in servers}
        for round_ in range(rounds + 1):                        # the first warms
            for name, (server, port) in servers.items():
                one = load.measure(build, d, server, sink, port, True, "/fhir", size, requests, CLIENTS)
                if round_ > 0:
                    found[name].append(one)
        middle = {name: {key: statistics.median(one[key] for one in all_) for key in ("per_second", "cpu_us")} for name, all_ in found.items()}
        full, null = middle["complete"], middle["null"]
        print(f"{size:12}{full['per_second']:12.0f}{null['per_second']:11.0f}{full['per_second'] / null['per_second']:8.2f}"
              f"{full['cpu_us']:14.0f}{null['cpu_us']:10.0f}{null['cpu_us'] / full['cpu_us']:8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    d, processes = tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp"), []
    try:
        run(os.path.abspath(given.build), d, processes, given.rounds)
    finally:
        for process in processes:
            load.stop(process)
        shutil.rmtree(d)


if __name__ == "__main__":
    main()
