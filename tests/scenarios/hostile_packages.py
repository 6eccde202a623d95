"""Packages that are made to hurt: refused with a sentence and nothing changed, or taken and harmless.

Each is added with `sluice package add`; processor time and memory of the process are bounded whatever it holds.  With one
that is taken, instances are validated, within the same bounds.  The bound of time is a multiple of what an honest package of
many definitions takes, in the same run, so that neither the build nor the load of the machine counts.  SLUICE_LONG=1 makes
them larger.
"""
import gzip
import io
import json
import os
import resource
import shutil
import subprocess
import tarfile
import tempfile

from harness import SLUICE, check, main

LONG = os.environ.get("SLUICE_LONG") == "1"
SANITIZED = os.environ.get("SLUICE_SANITIZED", "") != ""
TIMES = 150 if LONG else 15
MEGABYTES = 4000 if SANITIZED else 1500
HERE = tempfile.mkdtemp(prefix="sluice-hostile-")
SITE = "http://hostile.example/StructureDefinition/"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
counted = 0
spent = []
honest = None                            # processor time, in seconds


def fresh(name):
    global counted
    counted += 1
    return os.path.join(HERE, f"{counted}-{name}")


def run(*args):
    """(exit code, what it said); one that goes on and on dies of SIGXCPU"""
    out = fresh("said")
    bound = TIMES * honest if honest else 600

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (int(bound) + 1, int(bound) + 2))

    with open(out, "wb") as file:
        process = subprocess.Popen([SLUICE, *args], stdout=file, stderr=file, stdin=subprocess.DEVNULL, preexec_fn=limit)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = open(out, errors="replace").read()
    took, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss // 1024
    times = f"{took / honest:.2f} times" if honest else f"{took:.2f} s"
    what = f"{args[0]} {args[1]}: exit {process.returncode}, {times}, {megabytes} MB: {said[-300:]}"
    print("      " + what.replace(HERE, "")[:180].replace("\n", " "), flush=True)
    check(process.returncode in (0, 1, 2, 3, 4, 5, 6, 7), what)
    check(took < bound and megabytes < MEGABYTES, what)
    spent.append(took)
    return process.returncode, said


def manifest(name, **dependencies):
    return {"name": name, "version": "1.0.0", "fhirVersions": ["4.0.1"], "dependencies": dependencies}


def packed(name, files, **more):
    """A .tgz of (name, bytes); package.json is made unless it is there."""
    path = fresh(name + ".tgz")
    with tarfile.open(path, "w:gz", compresslevel=1, **more) as tar:
        for file, content in [("package/package.json", json.dumps(manifest(name)).encode())] + list(files):
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(file)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def definitions(name, *resources):
    return packed(name, [(f"package/{i}.json", json.dumps(one).encode()) for i, one in enumerate(resources)])


def listing(folder):
    if not os.path.exists(folder):
        return {}
    return {file: (os.stat(os.path.join(folder, file)).st_size, os.stat(os.path.join(folder, file)).st_mtime_ns) for file in os.listdir(folder)}


FOLDER = os.path.join(HERE, "packages")


def refused(package, *words):
    """With a sentence that has one of the words, and nothing is changed: inside of the folder or beside it."""
    before, beside = listing(FOLDER), sorted(os.listdir(HERE))
    code, said = run("package", "add", "--dir", FOLDER, package)
    check(code != 0, "it was taken: " + said)
    check(not words or any(word in said for word in words), (words, said))
    check(len(said) < 20000, len(said))
    check(listing(FOLDER) == before, "the folder changed")
    check([one for one in sorted(os.listdir(HERE)) if one not in beside and "-said" not in one] == [], "something was written beside it")


def taken(package):
    code, said = run("package", "add", "--dir", fresh("site"), package)
    check(code == 0, said)


def tried(package, *instances, profile=None):
    """Taken or refused, and validation with it ends."""
    if run("package", "add", "--dir", fresh("site"), package)[0] != 0:
        return False
    files = []
    for one in instances:
        files.append(fresh("instance.json"))
        with open(files[-1], "w") as f:
            json.dump(one, f)
    wanted = ["--profile", profile] if profile else []
    code, said = run("validate", "--package", package, *wanted, *files)
    check(code in (0, 1), said)
    check(len(said) < 3000000, len(said))
    return True


def profile(name, *elements, type="Patient", base=None, **more):
    return {"resourceType": "StructureDefinition", "url": SITE + name, "name": "X", "status": "active", "kind": "resource",
            "abstract": False, "type": type, "baseDefinition": base or HL7 + type, "derivation": "constraint",
            "differential": {"element": list(elements)}, **more}


def constraint(expression, path="Patient"):
    return {"id": path, "path": path, "constraint": [{"key": "x-1", "severity": "error", "human": "x", "expression": expression}]}


def value_set(name, *valueSets, **compose):
    return {"resourceType": "ValueSet", "url": "http://hostile.example/ValueSet/" + name, "status": "active",
            "compose": {"include": [{"valueSet": ["http://hostile.example/ValueSet/" + one for one in valueSets]}] if valueSets else [], **compose}}


def patient(**more):
    return {"resourceType": "Patient", "id": "p", "name": [{"family": "x", "given": ["y"]}], "gender": "other", **more}


def an_honest_package_is_the_measure():
    global honest
    many = [profile(f"h{i}", {"id": "Patient.name", "path": "Patient.name", "min": 1}, {"id": "Patient.gender", "path": "Patient.gender", "min": 1},
                    constraint("name.exists() and gender.exists()")) for i in range(600)]
    check(tried(definitions("honest", *many), *[patient() for _ in range(100)], profile=SITE + "h0"), "it is refused")
    honest = sum(spent)


# ---- archives ---------------------------------------------------------------------------------


def what_is_no_archive_of_a_package_is_refused():
    for name, content in (("empty", b""), ("text", b"{}"), ("cut", gzip.compress(b"x" * 100000)[:60]), ("gzip", gzip.compress(b"no tar" * 200))):
        path = fresh(name + ".tgz")
        with open(path, "wb") as f:
            f.write(content)
        refused(path)
    refused(fresh("nothing-there.tgz"))
    refused("/dev/zero")
    refused("/dev/null")


def a_bomb_ends_at_its_bounds():
    bomb = fresh("bomb.tgz")
    size = 3 << 30
    info = tarfile.TarInfo("package/bomb.json")
    info.size = size
    with gzip.open(bomb, "wb", compresslevel=1) as out:
        head = tarfile.TarInfo("package/package.json")
        content = json.dumps(manifest("bomb")).encode()
        head.size = len(content)
        out.write(head.tobuf() + content + b"\0" * (-len(content) % 512) + info.tobuf())
        for _ in range(300):
            out.write(b" " * (1 << 20))
    refused(bomb, "MB", "large", "bytes")
    blank = b"[" + b" " * (60 << 20) + b"]"
    many = [("package/%d.json" % i, blank) for i in range(10)]
    refused(packed("many-large", many), "MB", "large", "bytes")


def too_many_files_are_refused():
    refused(packed("files", ((f"package/{i}.json", b"{}") for i in range(1000000 if LONG else 21000))), "files")
    taken(packed("elsewhere", ((f"package/example/{i}.json", b"{}") for i in range(21000))))


def names_that_lead_elsewhere_name_nothing():
    evil = b'{"resourceType":"ValueSet","url":"http://evil.example/vs","status":"active"}'
    names = ["../evil.json", "package/../../evil.json", "/tmp/evil-sluice.json", "package//../../../evil.json", "package/\0evil.json",
             "package/sub/../../evil.json", "\\..\\evil.json", "package/..", "package/a\n\x1b[2Jb.json"]
    beside = set(os.listdir(os.path.dirname(HERE)))
    tried(packed("names", [(name, evil) for name in names]), patient())
    check(not [one for one in set(os.listdir(os.path.dirname(HERE))) - beside if "evil" in one], "written elsewhere")
    for name in ("../../up", "a/b", "a#b", "", ".", "..", "x" * 5000, "a\nb", "\x1b[2J"):
        path = packed("manifest", [])
        shutil.copy(packed("again", [("package/package.json", json.dumps(manifest(name)).encode())]), path)
        bare = fresh("bare.tgz")
        with tarfile.open(bare, "w:gz") as tar:
            content = json.dumps(manifest(name)).encode()
            info = tarfile.TarInfo("package/package.json")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        refused(bare)


def links_and_devices_are_passed_over():
    links = []
    for name, type, target in (("package/passwd.json", tarfile.SYMTYPE, "/etc/passwd"), ("package/hard.json", tarfile.LNKTYPE, "package/package.json"),
                               ("package/fifo.json", tarfile.FIFOTYPE, ""), ("package/zero.json", tarfile.CHRTYPE, "")):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = type, target
        links.append((name, info))
    taken(packed("links", links))
    folder = fresh("folder")
    os.makedirs(os.path.join(folder, "package"))
    with open(os.path.join(folder, "package/package.json"), "w") as f:
        json.dump(manifest("folder.links"), f)
    os.symlink("/etc/passwd", os.path.join(folder, "package/passwd.json"))
    os.symlink("..", os.path.join(folder, "package/up"))
    os.mkfifo(os.path.join(folder, "package/pipe.json"))
    taken(folder)


def json_that_is_deep_or_huge_ends():
    refused(packed("deep", [("package/deep.json", b'{"resourceType":"ValueSet","x":' + b"[" * 2000000 + b"]" * 2000000 + b"}")]), "deep", "depth", "nest")
    wide = b'{"resourceType":"ValueSet","url":"http://hostile.example/vs","status":"active","x":[' + b",".join([b"[]"] * 3000000) + b"]}"
    tried(packed("wide", [("package/wide.json", wide)]), patient())
    refused(packed("broken", [("package/broken.json", b'{"resourceType":"ValueSet","a":1,"a":2}')]))
    text = json.dumps({"resourceType": "ValueSet", "url": "http://hostile.example/" + "v" * 20000000, "status": "active"}).encode()
    tried(packed("long", [("package/long.json", text)]), patient())


# ---- definitions that go round ------------------------------------------------------------------


def definitions_in_a_circle_are_refused():
    refused(definitions("self", profile("self", base=SITE + "self")), "circle", "itself", "own base", "self")
    refused(definitions("two", profile("one", base=SITE + "two"), profile("two", base=SITE + "one")), "one", "two")
    chain = [profile(f"c{i}", base=SITE + f"c{(i + 1) % 3000}") for i in range(3000)]
    refused(definitions("chain", *chain))
    refused(definitions("none", profile("none", base=SITE + "nowhere")), "nowhere")


def a_long_chain_of_bases_ends():
    count = 3000 if LONG else 500
    chain = [profile(f"d{i}", {"id": "Patient.name", "path": "Patient.name", "min": 1}, base=SITE + f"d{i + 1}" if i + 1 < count else None)
             for i in range(count)]
    tried(definitions("long-chain", *chain), patient(), profile=SITE + "d0")


def content_references_in_a_circle_end():
    logical = lambda name, *elements: {
        "resourceType": "StructureDefinition", "url": SITE + name, "name": "X", "status": "active", "kind": "complex-type", "abstract": False,
        "type": name, "derivation": "specialization", "baseDefinition": HL7 + "Element",
        "snapshot": {"element": [{"id": name, "path": name, "min": 0, "max": "*"}, *elements]}}
    loop = logical("Loop", {"id": "Loop.a", "path": "Loop.a", "min": 0, "max": "*", "contentReference": "#Loop.b"},
                   {"id": "Loop.b", "path": "Loop.b", "min": 0, "max": "*", "contentReference": "#Loop.a"})
    tried(definitions("loop", loop), patient())
    own = logical("Own", {"id": "Own.a", "path": "Own.a", "min": 0, "max": "*", "contentReference": "#Own.a"},
                  {"id": "Own.none", "path": "Own.none", "min": 0, "max": "*", "contentReference": "#Nowhere.at.all"})
    tried(definitions("own", own), patient())
    # A Questionnaire as deep as the bounds let through: R4's own contentReference.
    item = {"linkId": "0", "type": "group", "item": [{"linkId": "x", "type": "display"}]}
    for i in range(1, 28):
        item = {"linkId": str(i), "type": "group", "item": [item]}
    deep = [{"id": "Questionnaire" + ".item" * n, "path": "Questionnaire" + ".item" * n, "min": 1} for n in range(1, 25)]
    tried(definitions("items", profile("items", *deep, type="Questionnaire")), {"resourceType": "Questionnaire", "status": "draft", "item": [item]},
          profile=SITE + "items")


# ---- slices and profiles that explode -------------------------------------------------------------


def slices_that_multiply_end():
    rows = []
    for path, depth in (("Patient.name", 0), ("Patient.contact", 1)):
        rows.append({"id": path, "path": path, "slicing": {"discriminator": [{"type": "value", "path": "use" if not depth else "gender"}], "rules": "open"}})
        for i in range(3000 if LONG else 600):
            rows.append({"id": f"{path}:s{i}", "path": path, "sliceName": f"s{i}", "min": 0, "max": "1"})
            rows.append({"id": f"{path}:s{i}.{'use' if not depth else 'gender'}", "path": f"{path}.{'use' if not depth else 'gender'}",
                         "fixedCode": f"code-{i}"})
    instance = patient(name=[{"use": "old", "family": f"x{i}"} for i in range(3000)], contact=[{"gender": "male", "name": {"text": "x"}}] * 3000)
    tried(definitions("slices", profile("slices", *rows)), instance, profile=SITE + "slices")


def slices_of_slices_end():
    """Each level slices by all that it fixes: 4 to the power of the depth, were they copied."""
    rows, level = [], [("Patient.extension", "Patient.extension")]
    for depth in range(4 if LONG else 3):
        below = []
        for id, path in level:
            rows.append({"id": id, "path": path, "slicing": {"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}})
            for i in range(8):
                rows.append({"id": f"{id}:s{i}", "path": path, "sliceName": f"s{i}"})
                rows.append({"id": f"{id}:s{i}.url", "path": path + ".url", "fixedUri": f"http://x/{i}"})
                below.append((f"{id}:s{i}.extension", path + ".extension"))
        level = below
    def nested(depth):
        return [{"url": f"http://x/{i % 8}", **({"extension": nested(depth - 1)} if depth else {"valueString": "x"})} for i in range(16)]
    tried(definitions("slices-of-slices", profile("sos", *rows)), patient(extension=nested(2)), profile=SITE + "sos")


def discriminators_that_never_end_end():
    for path in ("$this" + ".$this" * 500, "resolve()" + ".resolve()" * 200, "extension('x')" * 50, "." * 100, "name" * 20000,
                 ".".join(["resolve().managingOrganization"] * 100), "ofType(Patient)" + ".ofType(Patient)" * 300, "(((((", "%resource.name"):
        rows = [{"id": "Patient.generalPractitioner", "path": "Patient.generalPractitioner",
                 "slicing": {"discriminator": [{"type": "profile", "path": path}, {"type": "value", "path": path}], "rules": "closed"}},
                {"id": "Patient.generalPractitioner:a", "path": "Patient.generalPractitioner", "sliceName": "a", "max": "1"}]
        tried(definitions("discriminator", profile("dis", *rows)),
              patient(generalPractitioner=[{"reference": "#o"}] * 200, contained=[{"resourceType": "Organization", "id": "o", "name": "x", "partOf": {"reference": "#o"}}]),
              profile=SITE + "dis")


def profiles_that_ask_for_each_other_end():
    def asks(name, *others, path="link.other", type="Patient"):
        return profile(name, {"id": f"{type}.{path}", "path": f"{type}.{path}",
                              "type": [{"code": "Reference", "targetProfile": [SITE + one for one in others]}]}, type=type)
    ring = [asks(f"r{i}", f"r{(i + 1) % 50}", f"r{(i + 7) % 50}") for i in range(50)]
    linked = {"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": f"http://x.example/Patient/{i}", "resource": patient(id=str(i), link=[
            {"type": "seealso", "other": {"reference": f"Patient/{j}"}} for j in range(60)])} for i in range(60)]}
    tried(definitions("ring", *ring), linked, profile=SITE + "r0")
    types = [{"resourceType": "StructureDefinition", "url": SITE + f"t{i}", "name": "X", "status": "active", "kind": "complex-type", "abstract": False,
              "type": "Extension", "baseDefinition": HL7 + "Extension", "derivation": "constraint", "context": [{"type": "element", "expression": "Element"}],
              "differential": {"element": [{"id": "Extension.extension", "path": "Extension.extension", "type": [
                  {"code": "Extension", "profile": [SITE + f"t{i}", SITE + f"t{(i + 1) % 20}"]}]}]}} for i in range(20)]
    nest = {"url": SITE + "t0", "valueString": "x"}
    for _ in range(25):
        nest = {"url": SITE + "t0", "extension": [nest, {"url": SITE + "t1", "valueString": "x"}]}
    tried(definitions("types", *types), patient(extension=[nest]))


def a_snapshot_of_many_elements_ends():
    rows = [{"id": "Patient", "path": "Patient", "min": 0, "max": "*"}]
    rows += [{"id": f"Patient.name:s{i}", "path": "Patient.name", "sliceName": f"s{i}", "min": 0, "max": "*", "type": [{"code": "HumanName"}]}
             for i in range(100000)]
    for count in (100000, 1900) if SANITIZED else (100000, 15000, 1900):
        some = rows[:count]
        tried(definitions("snapshot", profile("huge", snapshot={"element": some}, differential={"element": some[:1]})), patient(), profile=SITE + "huge")
        tried(definitions("differential", profile("huge2", *some)), patient(), profile=SITE + "huge2")


# ---- expressions and terminologies -----------------------------------------------------------------


def expressions_that_explode_are_bounded():
    bombs = ["name.family.matches('(a+)+$')", "name.family.matches('(a|a)*b')", "name.family.matches('(" * 1 + "x{1,1000}){1,1000}')",
             "name.family.replaceMatches('a*?a*?a*?a*?a*?b', 'x' )", "repeat($this)", "descendants().descendants().descendants().count() > 0",
             "descendants().repeat(children()).select(%resource.descendants()).count() > 0", "name.family.toChars().select(%context.descendants()).count()>0",
             "(" * 5000 + "true" + ")" * 5000, "true" + " and true" * 50000, "not(" * 3000, "'" + "x" * 1000000 + "'", "name." * 3000 + "family",
             "iif(true, iif(true, " * 500, "resolve()" + ".resolve()" * 500, "name.where(" * 200 + "true" + ")" * 200,
             "children().select($this & %resource.toString())", "1" + "0" * 100000 + " > 0", "name.combine(name)" + ".combine(%resource.name)" * 300,
             "conformsTo('" + SITE + "x')", "memberOf('" + "http://hostile.example/ValueSet/a" + "')", "'\\u" * 100]
    for i, bomb in enumerate(bombs[::4] if SANITIZED else bombs):
        tried(definitions(f"bomb{i}", profile("x", constraint(bomb))), patient(name=[{"family": "a" * 40000, "given": ["a" * 30] * 50}] * 200), profile=SITE + "x")
    tried(definitions("all", profile("x", {"id": "Patient", "path": "Patient", "constraint": [
        {"key": f"x-{i}", "severity": "error", "human": "x", "expression": "descendants().count() < 0"} for i in range(2000)]})),
          patient(name=[{"family": "x"}] * 2000), profile=SITE + "x")


def value_sets_that_import_each_other_end():
    bind = profile("vs", {"id": "Patient.maritalStatus", "path": "Patient.maritalStatus",
                          "binding": {"strength": "required", "valueSet": "http://hostile.example/ValueSet/v0"}})
    coded = patient(maritalStatus={"coding": [{"system": "http://hostile.example/cs", "code": "a"}]})
    tried(definitions("vs-self", bind, value_set("v0", "v0")), coded, profile=SITE + "vs")
    ring = [value_set(f"v{i}", f"v{(i + 1) % 2000}") for i in range(2000)]
    tried(definitions("vs-ring", bind, *ring), coded, profile=SITE + "vs")
    tree = [value_set(f"v{i}", f"v{i + 1}", f"v{i + 1}") for i in range(60)] + [value_set("v60", include=[{"system": "http://hostile.example/cs"}])]
    tried(definitions("vs-tree", bind, *tree), coded, profile=SITE + "vs")
    out = [value_set(f"v{i}", f"v{i + 1}", exclude=[{"valueSet": [f"http://hostile.example/ValueSet/v{i + 1}"]}]) for i in range(40)] + [value_set("v40", "v0")]
    tried(definitions("vs-out", bind, *out), coded, profile=SITE + "vs")


def code_systems_that_supplement_themselves_end():
    url = "http://hostile.example/cs"
    code_system = lambda name, **more: {"resourceType": "CodeSystem", "url": name, "status": "active", "content": "complete", **more}
    tried(definitions("supplement", code_system(url, content="supplement", supplements=url, concept=[{"code": "a"}])), patient())
    tried(definitions("supplements", code_system(url, content="supplement", supplements=url + "2", concept=[{"code": "a"}]),
                      code_system(url + "2", content="supplement", supplements=url, concept=[{"code": "a"}])), patient())
    parents = [{"code": f"c{i}", "property": [{"code": "parent", "valueCode": f"c{(i + 1) % 5000}"}, {"code": "child", "valueCode": f"c{(i + 9) % 5000}"}]}
               for i in range(5000)]
    isa = value_set("isa", include=[{"system": url, "filter": [{"property": "concept", "op": "is-a", "value": "c0"}]},
                                    {"system": url, "filter": [{"property": "code", "op": "regex", "value": "((c+)+)+[0-9]*$"}]}])
    bind = profile("cs", {"id": "Patient.maritalStatus", "path": "Patient.maritalStatus", "binding": {"strength": "required", "valueSet": isa["url"]}})
    tried(definitions("parents", code_system(url, concept=parents), isa, bind),
          patient(maritalStatus={"coding": [{"system": url, "code": "c77"}]}), profile=SITE + "cs")
    nested = {"code": "n0"}
    for i in range(1, 55):
        nested = {"code": f"n{i}", "concept": [nested, {"code": f"m{i}"}]}
    tried(definitions("nested", code_system(url, concept=[nested]), isa), patient())
    tried(definitions("many", code_system(url, concept=[{"code": f"c{i}"} for i in range(300000)]), isa, bind),
          patient(maritalStatus={"coding": [{"system": url, "code": "c77"}]}), profile=SITE + "cs")


def members_of_the_wrong_type_are_refused_or_passed_over():
    for wrong in (7, "x", True, [], {}, [7], ["x"], [{}], [[]], {"element": 7}, {"element": [7]}, {"element": [{"path": 7, "id": {}}]},
                  {"element": [{"id": "Patient.name", "path": "Patient.name", "min": "x", "max": 7, "type": "x", "slicing": 7, "binding": [], "constraint": {}}]}):
        tried(definitions("wrong", {**profile("wrong"), "differential": wrong}, {**value_set("w"), "compose": wrong},
                          {"resourceType": "CodeSystem", "url": "http://hostile.example/w", "content": wrong, "concept": wrong}), patient())


if __name__ == "__main__":
    try:
        main([an_honest_package_is_the_measure, what_is_no_archive_of_a_package_is_refused, a_bomb_ends_at_its_bounds, too_many_files_are_refused,
              names_that_lead_elsewhere_name_nothing, links_and_devices_are_passed_over, json_that_is_deep_or_huge_ends,
              definitions_in_a_circle_are_refused, a_long_chain_of_bases_ends, content_references_in_a_circle_end,
              slices_that_multiply_end, slices_of_slices_end, discriminators_that_never_end_end, profiles_that_ask_for_each_other_end,
              a_snapshot_of_many_elements_ends, expressions_that_explode_are_bounded, value_sets_that_import_each_other_end,
              code_systems_that_supplement_themselves_end, members_of_the_wrong_type_are_refused_or_passed_over])
    finally:
        shutil.rmtree(HERE, ignore_errors=True)
