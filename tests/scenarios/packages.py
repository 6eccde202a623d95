"""A site's packages: added offline, taken up by a reload, asked of what comes in (docs/packages.md)."""
import json
import os

from bundles import bundle, observation, patient
from harness import Gateway, check, main

PROFILE = "http://site.example/StructureDefinition/named-patient"
gateway = Gateway().start()
FOLDER = os.path.join(gateway.folder, "packages")


def package(name, *resources, version="1.0.0", **dependencies):
    """A folder in the form of a package."""
    folder = os.path.join(gateway.folder, name + "-" + version)
    os.makedirs(os.path.join(folder, "package"), exist_ok=True)
    manifest = {"name": name, "version": version, "dependencies": {"hl7.fhir.r4.core": "4.0.1", **dependencies}}
    for file, content in [("package.json", manifest)] + [(f"{i}.json", one) for i, one in enumerate(resources)]:
        with open(os.path.join(folder, "package", file), "w") as f:
            json.dump(content, f)
    return folder


def named_patient(**more):
    return {"resourceType": "StructureDefinition", "url": PROFILE, "version": "1.0.0", "name": "NamedPatient",
            "status": "active", "kind": "resource", "abstract": False, "type": "Patient",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
            "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]}, **more}


def write(text):
    with open(gateway.config) as f:
        old = f.read().split("packages {")[0]
    with open(gateway.config, "w") as f:
        f.write(old + text)


def ask(*words):
    """The exit code and what was said."""
    done = gateway.cli(*words)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def reload():
    return ask("reload", "-c", gateway.config)


def add(folder):
    return ask("package", "add", "--dir", FOLDER, folder)


def nameless(id):
    one = patient(id)
    one.pop("name", None)
    return one


def a_profile_of_a_package_is_asked_after_a_reload():
    check(gateway.push(bundle(nameless("n1")))[0] == 200, "without packages")
    write('packages { dir = "%s"  profile = { "%s" } }\n' % (FOLDER, PROFILE))
    code, said = reload()
    check(code != 0 and "packages" in said, "no such folder yet: " + said)
    code, said = add(package("site.profiles", named_patient()))
    check(code == 0, said)
    check(sorted(os.listdir(FOLDER)) == ["packages.lock", "site.pack", "site.profiles#1.0.0.tgz"], os.listdir(FOLDER))
    code, said = reload()
    check(code == 0, said)
    status, _, body = gateway.push(bundle(nameless("n2")))
    check(status == 422, (status, body))
    issue = json.loads(body)["issue"][0]
    check("profile:cardinality" in issue["diagnostics"], issue)
    check(gateway.push(bundle(patient("n3"), observation("o3", "n3")))[0] == 200, "a name is there")


def what_cannot_be_used_leaves_everything_as_it_is():
    broken = named_patient(url=PROFILE + "-2", baseDefinition="http://site.example/StructureDefinition/none")
    code, said = add(package("site.broken", broken))
    check(code == 1 and "StructureDefinition/none" in said, (code, said))
    code, said = add(package("site.lonely", **{"not.here": "1.0.0"}))
    check(code == 1 and "not.here#1.0.0" in said, (code, said))
    check(sorted(os.listdir(FOLDER)) == ["packages.lock", "site.pack", "site.profiles#1.0.0.tgz"], os.listdir(FOLDER))
    write('packages { dir = "%s"  profile = { "%s-2" } }\n' % (FOLDER, PROFILE))
    code, said = reload()
    check(code != 0 and "no package here defines it" in said, (code, said))
    check(ask("config", "check", "-c", gateway.config)[0] == 3, "config check says so, too")
    check(gateway.push(bundle(nameless("n4")))[0] == 422, "the old profile is still asked")
    write('packages { dir = "%s"  profile = { "%s" } }\n' % (FOLDER, PROFILE))


def a_gateway_starts_without_the_compiled_pack():
    os.remove(os.path.join(FOLDER, "site.pack"))
    gateway.stop()
    gateway.start()
    check(gateway.push(bundle(nameless("n5")))[0] == 422, "compiled when it started")


def what_is_removed_is_not_asked():
    write('packages { dir = "%s" }\n' % FOLDER)
    check(ask("package", "rm", "--dir", FOLDER, "site.profiles#1.0.0")[0] == 0, "rm")
    check(reload()[0] == 0, "reload")
    check(gateway.push(bundle(nameless("n6")))[0] == 200, "nothing asks for a name")


if __name__ == "__main__":
    try:
        main([a_profile_of_a_package_is_asked_after_a_reload, what_cannot_be_used_leaves_everything_as_it_is,
              a_gateway_starts_without_the_compiled_pack, what_is_removed_is_not_asked])
    finally:
        gateway.close()
