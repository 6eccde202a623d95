"""The Synthea patients of ../shared/data through a running gateway to two recipients.

The sender is a known non-program and there is no consent, so everything is
permitted: every resource arrives as the exact substring of what was sent.
"""
import glob
import json
import os
import sys
import time

from harness import SHARED, Gateway, check, main


def every_permitted_resource_arrives_as_it_was_sent():
    files = sorted(glob.glob(os.path.join(SHARED, "data", "synthea", "*.json")))
    if not files:
        print("      no ../shared/data/synthea: skipped")
        return
    gateway = Gateway().start()
    try:
        total = 0
        begun = time.time()
        for path in files:
            body = open(path, "rb").read()
            status, _, answer = gateway.push(body)
            check(status == 200, (os.path.basename(path), status, answer[:600]))
            total += len(json.loads(body)["entry"])
        for sink in (gateway.hie, gateway.clinic):
            check(sink.wait(len(files), 60), f"{len(sink.received)} of {len(files)} Bundles came")
        sent = {open(path, "rb").read() for path in files}
        whole = sum(1 for body in gateway.hie.bodies() if body in sent)
        same = sum(1 for body in gateway.clinic.bodies() if body in sent)
        print(f"      {len(files)} Bundles, {total} resources, {sum(map(len, sent)) / 1e6:.1f} MB;"
              f" {whole} and {same} Bundles arrived byte for byte in {time.time() - begun:.1f} s", flush=True)
        check(whole == same == len(files), "a permitted Bundle was changed")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
        disclosures, denials = gateway.export()
        check(len(disclosures) == 2 * len(files) and not denials, (len(disclosures), len(denials)))
    finally:
        gateway.close()


if __name__ == "__main__":
    main([every_permitted_resource_arrives_as_it_was_sent])
