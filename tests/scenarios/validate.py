"""$validate over HTTP: R4 resource-operation-validate.html."""
import json
import urllib.parse

from bundles import bundle, observation, patient
from harness import Gateway, check, main

BASE = "http://hl7.org/fhir/StructureDefinition/"
LINE = BASE + "operationoutcome-issue-line"
COLUMN = BASE + "operationoutcome-issue-col"

gateway = Gateway().start()


def bad_observation(id="bad"):
    one = observation(id)
    one["status"] = []
    return one


def parameters(*parts):
    return {"resourceType": "Parameters", "parameter": list(parts)}


def part(name, **value):
    return {"name": name, **value}


def ask(body, path="/fhir/$validate", status=200, client="valley-ehr", **query):
    """The issues of the answer."""
    target = path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
    got, headers, text = gateway.request("POST", target, body, client=client)
    check(got == status, (target, got, text))
    outcome = json.loads(text)
    check(outcome["resourceType"] == "OperationOutcome" and outcome["issue"], outcome)
    for issue in outcome["issue"]:
        check(issue["details"]["text"] and issue["code"], issue)
    return outcome["issue"]


def errors(issues):
    return [one for one in issues if one["severity"] in ("error", "fatal")]


def all_is_well(issues):
    return not errors(issues)


def rule(issue):
    return issue["diagnostics"].removeprefix("rule ")


def place(issue):
    at = {one["url"]: one["valueInteger"] for one in issue["extension"]}
    return at[LINE], at[COLUMN]


def it_is_200_whatever_is_found_and_nothing_is_kept():
    before = gateway.settled()
    check(all_is_well(ask(observation("never"))), "a good one")
    for path in ("/fhir/$validate", "/fhir/Observation/$validate", "/fhir/Observation/bad/$validate"):
        found = errors(ask(bad_observation(), path))
        check(found and found[0]["expression"] == ["Observation.status"], found)
    check(gateway.settled() == before, "delivered")
    status, _, _ = gateway.request("PUT", "/fhir/Observation/never", observation("never"))
    check(status == 201, "it was there already")
    gateway.settled()


def places_are_those_of_what_was_sent():
    text = json.dumps(bad_observation(), indent=2).encode()
    line, column = place(errors(ask(text))[0])
    check(b'"status"' in text.split(b"\n")[line - 1], (line, text))
    check(text.split(b"\n")[line - 1][column - 1:].startswith(b"[]"), (line, column))
    wrapped = json.dumps(parameters(part("mode", valueCode="create"), part("resource", resource=bad_observation())),
                         indent=2).encode()
    issue = errors(ask(wrapped))[0]
    line, column = place(issue)
    check(issue["expression"] == ["Observation.status"], issue)
    check(wrapped.split(b"\n")[line - 1][column - 1:].startswith(b"[]"), (line, column))


def parameters_carry_resource_mode_and_profile():
    good = part("resource", resource=observation("x"))
    check(all_is_well(ask(parameters(good))), "resource alone")
    check(all_is_well(ask(parameters(good, part("mode", valueCode="create")))), "mode")
    check(all_is_well(ask(parameters(part("profile", valueUri=BASE + "Observation"), good))), "profile")
    check(all_is_well(ask(parameters(good), "/fhir/Observation/$validate")), "of the type in the path")
    ask(parameters(good), "/fhir/Patient/$validate", status=400)
    for wrong in (parameters(), parameters(part("resource")), parameters(good, good),
                  parameters(good, part("profil", valueUri=BASE + "Observation")),
                  parameters(good, part("mode", valueCode="create"), part("mode", valueCode="update"))):
        ask(wrong, status=400)
    itself = {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": "b"}]}
    check(all_is_well(ask(itself, "/fhir/Parameters/$validate")), "a Parameters may be what is validated")
    check(errors(ask({"resourceType": "Parameters", "parameter": [{}]}, "/fhir/Parameters/$validate")), "and be wrong")


def an_unknown_mode_or_parameter_is_400():
    for query in ({"mode": "remove"}, {"mode": ""}, {"mode": ["create", "update"]}, {"profle": BASE + "Observation"},
                  {"profile": ""}, {"profile": ["http://example.org/%d" % i for i in range(17)]}):
        issues = ask(observation("x"), status=400, **query)
        check(rule(issues[0]) == "validate-parameters", issues)
    check(all_is_well(ask(observation("x"), mode="create", _format="json", _pretty="true")), "what every request may have")


def a_profile_that_is_not_here_is_an_error():
    found = errors(ask(observation("x"), profile="http://example.org/StructureDefinition/none"))
    check(len(found) == 1 and found[0]["code"] == "not-found" and rule(found[0]) == "profile-unknown", found)
    found = errors(ask(parameters(part("resource", resource=observation("x")),
                                  part("profile", valueCanonical="http://example.org/StructureDefinition/none"))))
    check(len(found) == 1 and rule(found[0]) == "profile-unknown", found)


def a_profile_of_another_type_is_not_met():
    check(all_is_well(ask(observation("x"), profile=BASE + "Observation")), "its own type")
    found = errors(ask(observation("x"), mode="profile", profile=BASE + "Patient"))
    check(found, "an Observation is no Patient")
    ask(observation("x"), mode="profile", status=400)


def a_profile_of_a_package_is_asked():
    url = "http://hl7.org/fhir/uv/ips/StructureDefinition/Patient-uv-ips"
    check(all_is_well(ask(patient(), profile=url)), "it has a name and a date of birth")
    bare = {"resourceType": "Patient", "id": "p1"}
    check(all_is_well(ask(bare)), "the base asks for neither")
    for found in (ask(bare, profile=url), ask(parameters(part("resource", resource=bare), part("profile", valueUri=url))),
                  ask(bare, mode="profile", profile=url + "|2.0.0")):
        check({rule(one) for one in errors(found)} == {"profile:cardinality"}, found)
    check(errors(ask(bundle(patient("p0"), bare), profile=url)), "in a Bundle it is asked of entries of its type")


def create_says_what_this_client_may():
    check(all_is_well(ask(patient(), mode="create")), "may")
    found = errors(ask(patient(), mode="create", client="reader"))
    check([rule(one) for one in found] == ["validate-mode"] and found[0]["code"] == "forbidden", found)
    check(all_is_well(ask(patient(), client="reader")), "without a mode only the content counts")
    check(errors(ask({"resourceType": "Bundle", "type": "searchset"}, mode="create")), "an answer cannot be pushed")


def update_wants_an_id_and_that_of_the_path():
    check(all_is_well(ask(patient("p1"), "/fhir/Patient/p1/$validate", mode="update")), "with its id")
    nameless = patient()
    del nameless["id"]
    found = errors(ask(nameless, mode="update"))
    check([one["expression"] for one in found] == [["Patient.id"]], found)
    ask(patient("p2"), "/fhir/Patient/p1/$validate", mode="update", status=400)
    check(errors(ask(patient(), mode="update", client="reader")), "reader")


def delete_looks_at_rights_and_never_at_what_is_there():
    there = ask(None, "/fhir/Observation/never/$validate", mode="delete")
    gone = ask(None, "/fhir/Observation/nobody/$validate", mode="delete")
    check(all_is_well(there) and there == gone, (there, gone))
    check(all_is_well(ask(b"not JSON", "/fhir/Observation/never/$validate", mode="delete")), "the content is ignored")
    check(all_is_well(ask(parameters(part("mode", valueCode="delete")), "/fhir/Observation/never/$validate")), "as Parameters")
    check(errors(ask(None, "/fhir/Observation/never/$validate", mode="delete", client="reader")), "reader")
    ask(None, mode="delete", status=400)
    status, _, _ = gateway.request("PUT", "/fhir/Observation/never", observation("never"))
    check(status == 200, "it was deleted")


def every_entry_of_a_bundle_is_looked_at():
    for kind in ("batch", "transaction", "collection"):
        sent = bundle(patient(), bad_observation("b1"), observation("b2"), type=kind)
        found = errors(ask(sent))
        check([one["expression"] for one in found] == [["Bundle.entry[1].resource.status"]], found)
        check(all_is_well(ask(bundle(patient(), observation(), type=kind))), kind)
    nested = parameters(part("resource", resource=bundle(bad_observation(), type="batch")))
    check(errors(ask(nested)), "inside Parameters")


def what_cannot_be_read_is_400_and_get_is_405():
    ask(b"{", status=400)
    ask(b'{"resourceType":"Patient","resourceType":"Patient"}', status=400)
    ask({"name": "no resource"}, status=400)
    ask(b"", status=400)
    check(gateway.request("GET", "/fhir/Patient/$validate")[0] == 405, "GET")
    check(gateway.request("POST", "/fhir/Patient/p1/$everything", patient())[0] == 404, "another operation")
    check(gateway.request("POST", "/fhir/patient/p1/$validate", patient())[0] == 404, "no type")


def findings_hold_no_text_of_the_payload():
    telltale = patient()
    telltale["name"] = [{"family": 7, "given": "Zebulon-Q"}]
    telltale["birthDate"] = "Zebulon-Q"
    status, _, text = gateway.request("POST", "/fhir/$validate", telltale)
    check(status == 200 and b"Zebulon" not in text and b"error" in text, text)


if __name__ == "__main__":
    try:
        main([it_is_200_whatever_is_found_and_nothing_is_kept, places_are_those_of_what_was_sent,
              parameters_carry_resource_mode_and_profile, an_unknown_mode_or_parameter_is_400,
              a_profile_that_is_not_here_is_an_error, a_profile_of_another_type_is_not_met, a_profile_of_a_package_is_asked,
              create_says_what_this_client_may, update_wants_an_id_and_that_of_the_path,
              delete_looks_at_rights_and_never_at_what_is_there, every_entry_of_a_bundle_is_looked_at,
              what_cannot_be_read_is_400_and_get_is_405, findings_hold_no_text_of_the_payload])
    finally:
        gateway.close()
