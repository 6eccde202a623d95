"""What a route does with findings: refuse, warn, accept (docs/validating.md)."""
import json
import re

from bundles import bundle, condition, observation, patient
from harness import Gateway, check, main


class Site(Gateway):
    CLIENTS = Gateway.CLIENTS + ("warned-ehr", "quiet-ehr", "mixed-ehr", "lone-ehr")


EXTRA = "".join(f'client "{name}" {{ certificate-cn = "{name}"  scopes = {{ "system/*.cud" }}  part2 = "not-program" }}\n'
                for name in Site.CLIENTS[-4:]) + """
route "warned" { from = { "warned-ehr", "mixed-ehr" }  to = { "county-hie" }  validation = "warn" }
route "quiet"  { from = { "quiet-ehr" }  to = { "county-hie" }  validation = "accept" }
route "strict" { from = { "mixed-ehr" }  to = { "lakeside-clinic" } }
"""
IPS_PATIENT = "http://hl7.org/fhir/uv/ips/StructureDefinition/Patient-uv-ips"
POLICIES = {"valley-ehr": "refuse", "warned-ehr": "warn", "quiet-ehr": "accept", "mixed-ehr": "refuse", "lone-ehr": "refuse"}

gateway = Site(extra=EXTRA).start()


def odd(id, client):
    """A string of white space alone: a warning."""
    return observation(f"{id}-{client}", value=" ")


def outcomes(body):
    """Issues of each entry's outcome."""
    return [[(issue["severity"], issue["diagnostics"]) for issue in entry["response"].get("outcome", {}).get("issue", [])]
            for entry in json.loads(body)["entry"]]


def structural():
    """Errors that nobody may waive, a resource each."""
    misspelt = observation("s1")
    misspelt["Status"] = "final"
    unknown = observation("s2", value="1")
    unknown["diagnosis"] = "F11.20"
    twice = observation("s3")
    twice["code"] = [twice["code"]]
    spaced = condition("s4")
    spaced["code"]["coding"][0]["code"] = "F11.20 "
    lost = observation("s5")
    del lost["status"]
    nested = patient("s6")
    nested["contained"] = [{"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"},
                            "contained": [{"resourceType": "Patient", "id": "q"}]}]
    return [misspelt, unknown, twice, spaced, lost, nested]


def what_is_structural_is_refused_by_every_route():
    before = gateway.settled()
    for client in POLICIES:
        for bad in structural():
            status, _, body = gateway.push(bundle(patient(), bad), client=client)
            check(status == 422, (client, bad, status, body))
            check(json.loads(body)["issue"][0]["severity"] == "error", body)
        status, _, body = gateway.push({"resourceType": "Bundle", "type": "collection", "total": 1, "entry": []}, client=client)
        check(status == 422, (client, status, body))
    check(gateway.settled() == before, "delivered")


def a_batch_loses_its_structural_entries_under_every_route():
    for client in POLICIES:
        sent = bundle(patient(), observation(f"ok-{client}"), structural()[0], type="batch")
        status, _, body = gateway.push(sent, client=client)
        check(status == 200, (client, status, body))
        check([e["response"]["status"][:3] for e in json.loads(body)["entry"]][2] == "422", body)
        check([bool(found) for found in outcomes(body)] == [False, False, True], body)


def warnings_are_in_the_answer_where_the_route_warns():
    for client, policy in POLICIES.items():
        sent = bundle(patient(), observation(f"fine-{client}"), odd("odd", client))
        status, _, body = gateway.push(sent, client=client)
        check(status == 200, (client, status, body))
        found = outcomes(body)
        check(found[:2] == [[], []], found)
        check(found[2] == ([("warning", "rule primitive")] if policy == "warn" else []), (client, found))


def short_of_its_claim(id, client):
    """A Patient who claims a profile that wants a name and a date of birth."""
    one = patient(f"{id}-{client}")
    del one["name"], one["birthDate"]
    one["meta"] = {"profile": [IPS_PATIENT]}
    return one


def what_a_claimed_profile_asks_is_the_routes_to_decide():
    for client, policy in POLICIES.items():
        before = gateway.settled()
        one = short_of_its_claim("bound", client)
        for kind in ("transaction", "batch"):
            status, _, body = gateway.push(bundle(observation(f"about-{client}"), one, type=kind), client=client)
            if policy == "refuse" and kind == "transaction":
                check(status == 422 and "profile:cardinality" in json.loads(body)["issue"][0]["diagnostics"], (client, status, body))
                continue
            check(status == 200, (client, kind, status, body))
            found = set(outcomes(body)[1])
            severity = {"refuse": "error", "warn": "warning", "accept": None}[policy]
            check(found == ({(severity, "rule profile:cardinality")} if severity else set()), (client, kind, found))
        gateway.settled()
        went = any(one["id"].encode() in got for got in gateway.hie.bodies()[before:])
        check(went == (policy != "refuse"), (client, "delivered" if went else "not delivered"))


def what_a_binding_or_an_invariant_asks_is_too():
    unbound = observation("unbound")
    unbound["status"] = "finished"                       # no code of R4's
    abated = condition("abated", code="I10", display="Essential hypertension", abatementDateTime="2026-01-01")   # con-4: active
    for one, rule in ((unbound, "rule binding"), (abated, "rule con-4")):
        for client, policy in POLICIES.items():
            status, _, body = gateway.push(bundle(patient(), one), client=client)
            if policy == "refuse":
                check(status == 422 and rule in [i["diagnostics"] for i in json.loads(body)["issue"]], (client, status, body))
            else:
                found = outcomes(body)[1] if status == 200 else None
                check(status == 200 and (("warning", rule) in found) == (policy == "warn"), (client, status, body))


def validate_tells_every_error_whatever_the_route_waives():
    for client in POLICIES:
        status, _, body = gateway.request("POST", "/fhir/$validate", short_of_its_claim("asked", client), client=client)
        check(status == 200 and json.loads(body)["issue"][0]["severity"] == "error", (client, status, body))


def a_configured_profile_is_asked_of_its_type_and_waived_where_the_route_says_so():
    site = Site(extra=EXTRA + 'packages { profile = { "%s" } }\n' % IPS_PATIENT).start()
    try:
        nameless = patient("p9")
        del nameless["name"], nameless["birthDate"]
        for client, policy in POLICIES.items():
            check(site.push(bundle(observation("o9", "p9")), client=client)[0] == 200, "an Observation is of another type")
            check(site.push(bundle(patient(f"p8-{client}")), client=client)[0] == 200, "a Patient who meets it")
            status, _, body = site.push(bundle(nameless), client=client)
            check(status == (422 if policy == "refuse" else 200), (client, status, body))
            status, _, body = site.push(bundle(nameless, observation("o10"), type="batch"), client=client)
            first = json.loads(body)["entry"][0]["response"]["status"][:3]
            check(status == 200 and (first == "422") == (policy == "refuse"), (client, status, body))
    finally:
        site.close()


def a_single_resource_is_answered_by_its_outcome():
    for client, policy in POLICIES.items():
        one = odd("single", client)
        status, _, body = gateway.request("PUT", f"/fhir/Observation/{one['id']}", one, client=client)
        check(status == 201, (client, status, body))
        severities = [issue["severity"] for issue in json.loads(body)["issue"]]
        check(severities == (["information"] if policy == "accept" else ["warning"]), (client, severities))


def a_message_says_it_in_its_details():
    for client, policy in POLICIES.items():
        base = "https://ehr.example.org/fhir"
        one = odd("message", client)
        sent = {"resourceType": "Bundle", "type": "message", "timestamp": "2026-11-01T10:00:00Z", "entry": [
            {"fullUrl": f"{base}/MessageHeader/m-{client}", "resource": {
                "resourceType": "MessageHeader", "id": f"m-{client}", "eventUri": "http://example.org/events/result",
                "source": {"endpoint": "https://ehr.example.org"},
                "focus": [{"reference": f"{base}/Observation/{one['id']}"}]}},
            {"fullUrl": f"{base}/Observation/{one['id']}", "resource": one}]}
        status, _, body = gateway.request("POST", "/fhir/$process-message", sent, client=client)
        answer = json.loads(body)
        check(status == 200, (client, status, body))
        response = answer["entry"][0]["resource"]["response"]
        check(("details" in response) == (policy != "accept"), (client, answer))
        if "details" in response:
            named = [e for e in answer["entry"] if e["fullUrl"] == response["details"]["reference"]]
            check(named[0]["resource"]["resourceType"] == "OperationOutcome", answer)


def the_configuration_says_it():
    done = gateway.cli("config", "show", "-c", gateway.config)
    check(done.returncode == 0, done.stderr)
    said = re.findall(r'^ +validation += "(\w+)"', done.stdout.decode(), re.M)
    check(said == ["refuse", "warn", "accept", "refuse"], said)


if __name__ == "__main__":
    try:
        main([what_is_structural_is_refused_by_every_route, a_batch_loses_its_structural_entries_under_every_route,
              warnings_are_in_the_answer_where_the_route_warns, what_a_claimed_profile_asks_is_the_routes_to_decide,
              what_a_binding_or_an_invariant_asks_is_too, validate_tells_every_error_whatever_the_route_waives,
              a_configured_profile_is_asked_of_its_type_and_waived_where_the_route_says_so, a_single_resource_is_answered_by_its_outcome,
              a_message_says_it_in_its_details, the_configuration_says_it])
    finally:
        gateway.close()
