"""The heads of the log are kept outside of the database: one that is put back to an older copy does not start, and says why."""
import glob
import os
import re
import shutil
import subprocess

from bundles import bundle, observation, patient
from harness import Gateway, SLUICE, check, main, until

LOGS = ("disclosures", "denials")


class Anchored(Gateway):
    def __init__(self):
        super().__init__(ledger='anchor = "anchor"  anchor-seconds = 1')
        os.mkdir(self.at("anchor"))

    def pushed(self, *names):
        for name in names:
            check(self.push(bundle(patient("p1"), observation(name, "p1")))[0] == 200, name)
        self.settled()

    def refused(self):
        """What it says instead of starting."""
        done = subprocess.run([SLUICE, "serve", "-c", self.config], capture_output=True, timeout=60)
        check(done.returncode == 6, (done.returncode, done.stderr))
        return done.stderr.decode()

    def size(self, log="disclosures"):
        with open(os.path.join(self.at("anchor"), log)) as f:
            return int(f.read().split("\n")[1])

    def verify(self, *more):
        done = self.cli("log", "verify", "-c", self.config, *more)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def keep(self, name):
        os.mkdir(self.at(name))
        for path in glob.glob(self.at("sluice.db*")):
            shutil.copy(path, self.at(name)) if os.path.isfile(path) else None

    def put_back(self, name):
        for path in glob.glob(self.at("sluice.db*")):
            os.remove(path)
        for path in glob.glob(os.path.join(self.at(name), "*")):
            shutil.copy(path, self.folder)


def the_anchor_follows_the_log_and_an_older_database_does_not_start():
    gateway = Anchored().start()
    try:
        gateway.pushed("a1", "a2")
        until(lambda: gateway.size() == 4, "two recipients, two pushes")
        for log in LOGS:
            code, said = gateway.verify("--checkpoint", os.path.join(gateway.at("anchor"), log))
            check(code == 0, said)
        check(gateway.stop() == 0, "stop")
        gateway.keep("older")
        gateway.start()
        gateway.pushed("a3")
        check(gateway.stop() == 0 and gateway.size() == 6, "written when it ends")
        gateway.start()
        check(gateway.stop() == 0, "it goes on from its own anchor")

        gateway.put_back("older")
        said = gateway.refused()
        check(re.search(r"log of disclosures has 4 records, and its anchor .*/disclosures has 6: the database was put back", said), said)
        code, said = gateway.verify()
        check(code == 6 and "the other checkpoint has 6 leaves, this log ends at 4: the log was rolled back" in said, said)

        os.rename(gateway.at("anchor"), gateway.at("proof"))
        os.mkdir(gateway.at("anchor"))
        gateway.start()
        gateway.pushed("b1", "b2")
        gateway.stop()
        check(gateway.size() == 8, "a new anchor")
        code, said = gateway.verify("--checkpoint", os.path.join(gateway.at("proof"), "disclosures"))
        check(code == 6 and "does not fit" in said, said)
        shutil.rmtree(gateway.at("anchor"))
        os.rename(gateway.at("proof"), gateway.at("anchor"))
        said = gateway.refused()
        check("does not go on from its anchor" in said and "another history" in said, said)
    finally:
        gateway.close()


def an_anchor_that_was_changed_or_is_anothers_is_not_believed():
    gateway, other = Anchored().start(), Anchored().start()
    try:
        for one in (gateway, other):
            one.pushed("a1")
            one.stop()
        own = os.path.join(gateway.at("anchor"), "disclosures")
        with open(own) as f:
            whole = f.read()
        for changed in (whole.replace("\n2\n", "\n1\n"), whole[:-30], "", open(os.path.join(other.at("anchor"), "disclosures")).read()):
            with open(own, "w") as f:
                f.write(changed)
            said = gateway.refused()
            check("is not this log's" in said, (changed, said))
        os.remove(own)
        gateway.start()
        gateway.stop()
        check(open(own).read() == whole, "one that is not there is made")
    finally:
        gateway.close()
        other.close()


def a_folder_that_cannot_be_written_stops_nothing_and_is_told():
    gateway = Anchored().start()
    try:
        gateway.pushed("a1")
        until(lambda: gateway.size() == 2, "the first")
        os.rename(gateway.at("anchor"), gateway.at("away"))
        gateway.pushed("a2")
        failures = lambda: re.search(rb"^sluice_anchor_failures_total (\d+)$", gateway.get_admin("/metrics")[1], re.M)
        until(lambda: failures() and int(failures()[1]) > 0, "it is counted")
        check(len(gateway.hie.bodies()) == 2, "what was recorded leaves")
        os.rename(gateway.at("away"), gateway.at("anchor"))
        until(lambda: gateway.size() == 4, "written again")
        said = lambda what: open(gateway.at("log")).read().count(what)
        until(lambda: said("anchor.written") > 0, "told behind the last of the two heads")
        check(said("anchor.failed") == 1 and said("anchor.written") == 1, "told once when it begins and once when it ends")
    finally:
        gateway.close()


def a_folder_that_keeps_nothing_is_refused_by_config_check():
    gateway = Anchored()
    try:
        text = open(gateway.config).read()
        for folder, said in ((".", "is the folder of the store"), ("nowhere", "anchor"), ("sluice.conf", "is no folder")):
            with open(gateway.config, "w") as f:
                f.write(text.replace('anchor = "anchor"', f'anchor = "{folder}"'))
            done = gateway.cli("config", "check", "-c", gateway.config)
            check(done.returncode == 3 and said in done.stderr.decode() + done.stdout.decode(), (folder, done))
    finally:
        gateway.close()


if __name__ == "__main__":
    main([the_anchor_follows_the_log_and_an_older_database_does_not_start, an_anchor_that_was_changed_or_is_anothers_is_not_believed,
          a_folder_that_cannot_be_written_stops_nothing_and_is_told, a_folder_that_keeps_nothing_is_refused_by_config_check])
