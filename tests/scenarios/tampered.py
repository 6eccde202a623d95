"""Every column of every table: changed, taken away, put in or swapped behind the log's back, `log verify` says where.

Made from the schema, so that a column that somebody adds fails here until `log verify` covers it or
docs/verify-the-log.md says why it does not.
"""
import getpass
import json
import os
import re
import shutil
import sqlite3

from bundles import bundle, condition, consent, observation, patient
from harness import ROOT, Gateway, check, main
from review import scan

EXTRA = """
reviewer "jane" { account = "%s"  role = { "privacy-officer" } }
reviewer "carl" { account = "%s"  role = { "counsel" } }
""" % (getpass.getuser(), getpass.getuser())
LINE = re.compile(r"^\| `(\w+)(?:\.([\w, ]+))?`(?: \((changed|rows)\))? \| ")


def left_out():
    """What the documents say that is not covered: {table: columns}; no columns: the whole table, "rows": rows may come or go."""
    found = {}
    with open(os.path.join(ROOT, "docs", "verify-the-log.md")) as f:
        for m in filter(None, map(LINE.match, f)):
            columns = ["rows"] if m[3] == "rows" else [c.strip() for c in m[2].split(",")] if m[2] else ["*"]
            found.setdefault(m[1], set()).update(columns)
    return found


def busy(gateway):
    """A store that has something in each table: every kind of record, more than one of each."""
    sluice = lambda *a: gateway.cli(*a[:2], "-c", gateway.config, *a[2:])
    done = lambda code, *a: check(sluice(*a).returncode == code, (a, sluice(*a)))
    for n in range(3):
        gateway.push(bundle(patient(f"h{n}"), scan(f"scan{n}", f"h{n}"), observation(f"o{n}", f"h{n}")), client="unknown-ehr")
    gateway.push(bundle(patient("c1"), consent("c-c1", "c1"), condition("oud", "c1")), client="riverside-ehr")
    gateway.push(bundle(patient("c2"), condition("oud2", "c2")), client="riverside-ehr")
    refusal = consent("c-c3", "c3")
    refusal["provision"] = {"type": "deny"}
    gateway.push(bundle({**patient("c3"), "link": [{"other": {"reference": "Patient/c1"}, "type": "seealso"}]}, refusal), client="riverside-ehr")
    gateway.push(bundle(patient("a"), observation("oa", "a"), patient("b"), observation("ob", "b"), patient("c"), observation("oc", "c")))
    connection = gateway.connect()
    for n in range(130):                 # a tile of the tree is 256 records
        check(gateway.request("PUT", "/fhir/Observation/t", observation("t", "a", value=f"{n}.5"), connection=connection)[0] < 300, n)
    gateway.settled()
    items = json.loads(sluice("review", "ls", "--json").stdout)["items"]
    check(len(items) > 4, items)
    done(5, "review", "release", str(items[0]["id"]), "--as", "carl", "--why", "a knee")
    done(0, "review", "refuse", str(items[0]["id"]), "--as", "jane", "--why", "a dose")
    done(0, "review", "release", str(items[1]["id"]), "--as", "jane", "--why", "a knee")
    gateway.push(bundle(patient("h2"), scan("scan2", "h2"), observation("o2", "h2")), client="unknown-ehr")   # seen again
    papers = {"documents": [{"id": f"qsoa-{n}", "kind": "qsoa", "from": "2026-01-01", "party": "Organization/lab",
                             "discloser": "Organization/riverside", "says": ["bound-by-part-2"]} for n in range(3)],
              "restrictions": [{"id": "paid", "patient": "Patient/c1", "recipient": ["HEALTH_PLAN"], "selfPay": True,
                                "from": "2026-01-01"}]}
    with open(gateway.at("papers.json"), "w") as f:
        json.dump(papers, f)
    done(7, "file", "add", gateway.at("papers.json"))
    done(0, "file", "end", "qsoa-1", "--why", "terminated")
    done(0, "file", "end", "paid", "--why", "asked for", "--patient-agreed")
    gateway.settled()


class Store:
    """The file as the gateway left it, and changed copies of it."""

    def __init__(self, gateway):
        self.gateway, self.path, self.whole = gateway, gateway.at("sluice.db"), gateway.at("whole.db")
        shutil.copy(self.path, self.whole)

    def restore(self):
        for suffix in ("-wal", "-shm"):
            if os.path.exists(self.path + suffix):
                os.unlink(self.path + suffix)
        shutil.copy(self.whole, self.path)

    def verify(self):
        return self.gateway.cli("log", "verify", "-c", self.gateway.config)

    def after(self, change):
        """What verifying finds once `change(db)` was done; the store is whole again then."""
        db = sqlite3.connect(self.path)
        db.create_function("flipped", 1, lambda b: bytes([b[0] ^ 1]) + b[1:] if b else b"x")
        triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        change(db)
        for _, sql in triggers:
            db.execute(sql)
        db.commit()
        db.close()
        done = self.verify()
        self.restore()
        return done

    def schema(self):
        db = sqlite3.connect(self.whole)
        tables = [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        columns = {t: [(c[1], c[5]) for c in db.execute(f"PRAGMA table_info({t})")] for t in tables}
        rows = {t: db.execute(f"SELECT {self.key(columns[t])} FROM {t} ORDER BY {self.key(columns[t])}").fetchall() for t in tables}
        db.close()
        return columns, rows

    @staticmethod
    def key(columns):
        return ", ".join(name for name, place in sorted(columns, key=lambda c: c[1]) if place) or "rowid"

    @staticmethod
    def at(columns, row):
        names = Store.key(columns).split(", ")
        return " AND ".join(f"{n} = ?" for n in names), row


OTHER = ("CASE typeof({c}) WHEN 'integer' THEN {c} + 1000003 WHEN 'blob' THEN flipped({c})"
         " WHEN 'null' THEN x'61' ELSE {c} || 'x' END")


def changes(columns, rows):
    """(words, column or "rows", change) of one table: first, middle and newest row."""
    some = sorted({0, len(rows) // 2, len(rows) - 1})

    def update(name, row):
        where, values = Store.at(columns, row)
        return lambda db, table: db.execute(f"UPDATE {table} SET {name} = {OTHER.format(c=name)} WHERE {where}", values)

    def delete(row):
        where, values = Store.at(columns, row)
        return lambda db, table: db.execute(f"DELETE FROM {table} WHERE {where}", values)

    def read(db, table, row):
        where, values = Store.at(columns, row)
        return list(db.execute(f"SELECT * FROM {table} WHERE {where}", values).fetchone())

    def write(db, table, values):
        db.execute(f"INSERT INTO {table} VALUES({', '.join('?' * len(values))})", values)

    keys = [i for i, (_, place) in enumerate(columns) if place]

    def swap(one, two):
        def change(db, table):
            a, b = read(db, table, one), read(db, table, two)
            delete(one)(db, table), delete(two)(db, table)
            for i in keys:
                a[i], b[i] = b[i], a[i]
            write(db, table, a), write(db, table, b)
        return change

    def insert(row):
        def change(db, table):
            values = read(db, table, row)
            values[keys[-1]] = values[keys[-1]] + 77 if isinstance(values[keys[-1]], int) else values[keys[-1]] + "x"
            for i, (name, _) in enumerate(columns):
                if (table, name) in (("review", "key"), ("filing", "id"), ("consent", "id"), ("standing", "id"), ("patient_link", "other")):
                    values[i] = values[i][::-1]                # a unique one
            write(db, table, values)
        return change

    for i in some:
        for name, _ in columns:
            yield f"{name} of row {rows[i]} changed", name, update(name, rows[i])
        yield f"row {rows[i]} taken away", "rows", delete(rows[i])
    yield "a row put in", "rows", insert(rows[-1])
    if len(rows) > 1 and len(keys) < len(columns):           # else nothing hangs on the key
        yield "first and newest swapped", "rows", swap(rows[0], rows[-1])


def every_column_is_covered_or_named():
    gateway = Gateway(extra=EXTRA).start()
    try:
        busy(gateway)
        check(gateway.stop() == 0, "stop")
        store = Store(gateway)
        check(store.verify().returncode == 0, store.verify())
        columns, rows = store.schema()
        open_ones, tried, missed = left_out(), 0, []
        for table in sorted(columns):
            out = open_ones.pop(table, set())
            names = {name for name, _ in columns[table]}
            check(out <= names | {"*", "rows"}, (table, out - names, "the documents name a column that is not there"))
            if "*" in out:
                continue
            check(rows[table], f"{table} is empty: nothing is shown of it")
            for words, column, change in changes(columns[table], rows[table]):
                if column in out:
                    continue
                done = store.after(lambda db: change(db, table))
                tried += 1
                said = [line for line in done.stdout.decode().splitlines() if line.startswith(("disclosures: ", "denials: "))]
                if done.returncode != 6 or not said:
                    missed.append((table, words, done.returncode, said[:2], done.stderr.decode()[-100:]))
        check(not open_ones, (open_ones, "the documents name a table that is not there"))
        check(not missed, f"{len(missed)} of {tried} not found:\n" + "\n".join(map(str, missed)))
        print(f"      {tried} changes, all found")
    finally:
        gateway.close()


def shorten_index(path, name, but):
    """The index leaves rows out that the table has, and nothing in the schema says so."""
    def rewrite(sql, *values):
        db = sqlite3.connect(path)
        db.execute("PRAGMA writable_schema = ON")
        db.execute(sql, values)
        db.commit()
        db.close()
    db = sqlite3.connect(path)
    whole = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
    db.close()
    rewrite("UPDATE sqlite_master SET sql = ? WHERE name = ?", f"{whole} AND {but}", name)
    db = sqlite3.connect(path)
    db.execute(f"REINDEX {name}")
    db.commit()
    db.close()
    rewrite("UPDATE sqlite_master SET sql = ? WHERE name = ?", whole, name)


def destroyed(which, kind, more=""):
    """What whoever keeps the log does for a patient whose records go, to one of this kind."""
    return (f"UPDATE ledger_leaf SET {more}record = NULL, salt = NULL WHERE position ="
            f" (SELECT {which}(position) FROM ledger_leaf WHERE kind = '{kind}')")


def what_hides_a_row_without_changing_it_is_found():
    """The same bytes, and the gateway does not find them: as another type, by a short index, behind a trigger; or the verifier is kept from asking."""
    gateway = Gateway(extra=EXTRA).start()
    try:
        busy(gateway)
        check(gateway.stop() == 0, "stop")
        store = Store(gateway)
        blob = lambda table, *names: f"UPDATE {table} SET " + ", ".join(f"{n} = CAST({n} AS BLOB)" for n in names)
        destroy = "UPDATE ledger_leaf SET record = NULL, salt = NULL WHERE position = (SELECT max(position) FROM ledger_leaf WHERE kind = 'denial')"
        for words, changes in ((b"table filing: 1", [blob("filing", "patient") + " WHERE id = 'paid' AND version = 1"]),
                               (b"table filing: ", [blob("filing", "current")]), (b"table review: ", [blob("review", "key")]),
                               (b"table review: ", ["UPDATE review SET state = '' WHERE state = 0"]),
                               (b"table review_act: ", [blob("review_act", "review")]),
                               (b"table ledger_leaf: ", [blob("ledger_leaf", "kind", "patient")]),
                               (b"table ledger_subject: ", [blob("ledger_subject", "patient")]),
                               (b"schema, trigger mine: no Sluice", ["CREATE TRIGGER mine AFTER INSERT ON review BEGIN"
                                                                     " UPDATE review SET state = 2 WHERE id = new.id; END"]),
                               (b"schema, index filing_current: it was taken away", ["DROP INDEX filing_current"]),
                               (b"table meta: it does not say", ["DELETE FROM meta WHERE name = 'rows'"]),
                               (b"table meta: it does not say", ["UPDATE meta SET value = '1' WHERE name = 'rows'"]),
                               (b"table standing: 1", [blob("standing", "patient")]),
                               (b"schema, view mine: no Sluice", ["CREATE VIEW mine AS SELECT 1"]),
                               (b"is not what leaf", [destroy, "UPDATE review SET recipient = 'nobody' WHERE id = 1"]),
                               (b"it was taken away, leaf", [destroy, "DELETE FROM filing WHERE number = 1"])):
            done = store.after(lambda db: [db.execute(c) for c in changes])
            check(done.returncode == 6 and words in done.stdout, (changes, done))
        for kind in ("filing", "review", "denial"):            # to destroy a record is no problem, and hides none
            done = store.after(lambda db: db.execute(destroyed("max", kind)))
            check(done.returncode == 0 and b"records were destroyed" in done.stdout, (kind, done))
            done = store.after(lambda db: db.execute(destroyed("min", kind)))
            check(done.returncode == 0, (kind, done))
        undo = ("DELETE FROM filing WHERE number = (SELECT max(number) FROM filing)",
                "UPDATE filing SET current = 1 WHERE number = (SELECT max(number) FROM filing WHERE id = 'paid')")
        for sql, words in ((destroyed("max", "rows"), b"a record that vouches for rows was destroyed"),
                           (destroyed("max", "rows", "kind = 'denial', "), b"the log has a filing of it that is not on file"),
                           (destroyed("max", "review"), b"the log has a filing of it that is not on file")):
            done = store.after(lambda db: [db.execute(c) for c in (sql, *undo)])
            check(done.returncode == 6 and words in done.stdout, (sql, done))
        undo = ("DELETE FROM review_act WHERE id = (SELECT max(id) FROM review_act)",)
        done = store.after(lambda db: [db.execute(c) for c in (destroyed("max", "filing"), *undo)])
        check(done.returncode == 6 and b"the log has a record of it, and it is not there" in done.stdout, done)
        shorten_index(store.path, "filing_current", "id <> 'paid'")
        done = store.verify()
        check(done.returncode == 6 and b"missing from index filing_current" in done.stdout, done)
        store.restore()
        done = store.after(lambda db: db.execute("ANALYZE"))
        check(done.returncode == 0, done)
    finally:
        gateway.close()


def what_the_store_writes_again_is_not_vouched_for_when_it_was_changed_meanwhile():
    gateway = Gateway(extra=EXTRA).start()
    try:
        push = bundle(patient(), scan(), observation())
        check(gateway.push(push, client="unknown-ehr")[0] == 200 and gateway.hie.wait(1), "push")
        check(gateway.stop() == 0, "stop")
        db = sqlite3.connect(gateway.at("sluice.db"))
        db.execute("UPDATE review SET recipient = 'lakeside-clinic' WHERE id = 1")
        db.commit()
        db.close()
        gateway.start()
        check(gateway.push(push, client="unknown-ehr")[0] == 200 and gateway.hie.wait(2), "the same again")
        done = gateway.cli("log", "verify", "-c", gateway.config)
        check(done.returncode == 6 and b"table review, row 1: it was changed behind" in done.stdout, done)
    finally:
        gateway.close()


def a_store_of_before_is_vouched_for_once():
    gateway = Gateway(extra=EXTRA).start()
    try:
        check(gateway.push(bundle(patient(), scan(), observation()), client="unknown-ehr")[0] == 200 and gateway.hie.wait(1), "push")
        check(gateway.stop() == 0, "stop")
        forget = lambda db: db.execute("DELETE FROM meta WHERE name = 'rows'")
        db = sqlite3.connect(gateway.at("sluice.db"))
        db.execute("UPDATE review SET recipient = 'nobody' WHERE id = 1")
        forget(db)
        db.commit()
        db.close()
        gateway.start()
        check(gateway.stop() == 0, "stop")
        done = gateway.cli("log", "verify", "-c", gateway.config)
        check(done.returncode == 6 and b"as if nothing had been vouched for before" in done.stdout, done)
    finally:
        gateway.close()


def a_store_whose_consents_nobody_vouched_for_is_brought_up_to_date():
    """As a former version left it: rows of the three tables, and no record that is about them."""
    gateway = Gateway(extra=EXTRA).start()
    try:
        check(gateway.stop() == 0, "stop")
        db = sqlite3.connect(gateway.at("sluice.db"))
        for sql in ("DROP INDEX ledger_leaf_at", "DROP INDEX ledger_void", "DROP TABLE consent", "DROP TABLE standing", "DROP TABLE patient_link",
                    "CREATE TABLE consent(patient TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL,"
                    " inbox INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY(patient, id)) WITHOUT ROWID",
                    "CREATE TABLE standing(patient TEXT NOT NULL, id TEXT NOT NULL, kind INTEGER NOT NULL, inbox INTEGER NOT NULL,"
                    " place INTEGER NOT NULL, PRIMARY KEY(patient, id, kind, inbox, place)) WITHOUT ROWID",
                    "CREATE INDEX standing_of ON standing(id, kind)",
                    "CREATE TABLE patient_link(patient TEXT NOT NULL, other TEXT NOT NULL, stands INTEGER NOT NULL,"
                    " generation INTEGER NOT NULL, PRIMARY KEY(patient, other)) WITHOUT ROWID",
                    "CREATE INDEX patient_link_other ON patient_link(other, patient)",
                    "INSERT INTO patient_link VALUES('Patient/x', 'Patient/y', 1, 1), ('Patient/x', 'Patient/z', 0, 1)",
                    "UPDATE meta SET value = '1' WHERE name = 'rows'", "PRAGMA user_version = 7"):
            db.execute(sql)
        db.commit()
        db.close()
        gateway.start()
        check(gateway.push(bundle(patient("c1"), consent("c-c1", "c1")), client="riverside-ehr")[0] == 200, "push")
        check(gateway.stop() == 0, "stop")
        store = Store(gateway)
        check(store.verify().returncode == 0, store.verify())
        for change, words in (("UPDATE patient_link SET stands = 0", b"patient_link, row 1: it is not what leaf"),
                              ("DELETE FROM patient_link WHERE stands = 0", b"table patient_link, row 2: it was taken away"),
                              ("DELETE FROM consent", b"table consent, row 1: it was taken away")):
            done = store.after(lambda db: db.execute(change))
            check(done.returncode == 6 and words in done.stdout, (change, done))
        db = sqlite3.connect(gateway.at("sluice.db"))
        db.execute("UPDATE patient_link SET stands = 0")
        db.execute("UPDATE meta SET value = '1' WHERE name = 'rows'")
        db.commit()
        db.close()
        gateway.start()
        check(gateway.stop() == 0, "stop")
        done = store.verify()
        check(done.returncode == 6 and b"as if nothing had been vouched for before" in done.stdout, done)
    finally:
        gateway.close()


if __name__ == "__main__":
    main([every_column_is_covered_or_named, what_hides_a_row_without_changing_it_is_found,
          what_the_store_writes_again_is_not_vouched_for_when_it_was_changed_meanwhile, a_store_of_before_is_vouched_for_once,
          a_store_whose_consents_nobody_vouched_for_is_brought_up_to_date])
