"""The backup of IntuneCD, unmodified, against the simulated cloud."""

import json
import re
import subprocess
import sys
import unittest
from collections import Counter
from pathlib import Path

from cloud import Cloud
from covered import CHILDREN, LISTS, REWRITTEN, SINGLE, is_left_out

OBJECTS = 1_000
COMPLAINT = re.compile(r"error|fail|warn|traceback|exception|not found|no response", re.IGNORECASE)
PROGRESS = re.compile(r"\[INFO\] Backing up ")


class Backup(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.cloud = cls.enterClassContext(Cloud(OBJECTS))
        cls.backup = cls.cloud.path / "backup"
        cls.backup.mkdir()
        tenant = cls.cloud.tenant
        program = Path(sys.executable).parent / "IntuneCD-startbackup"
        run = subprocess.run(
            [program, "--mode", "1", "--output", "json", "--path", cls.backup, "--append-id"],
            env={
                **cls.cloud.environment(),
                "TENANT_NAME": tenant["tenant_id"],
                "CLIENT_ID": tenant["client_id"],
                "CLIENT_SECRET": tenant["client_secret"],
                # Both streams go into one pipe. A buffer of one may end within a character, and a line of the other
                # would follow there.
                "PYTHONUNBUFFERED": "1",
                "PYTHONUTF8": "1",
            },
            cwd=cls.cloud.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=600,
        )
        cls.code, cls.output = run.returncode, run.stdout
        cls.expected = cls.cloud.control("expected")
        cls.lists = {path: cls.cloud.everything(path) for _, path, _ in LISTS}

    def written(self, folder):
        """The objects in a folder of the backup, by the id in the name of their file."""
        files = sorted(self.backup.glob(f"{folder}/*.json"))
        return [(file.stem.rsplit("__", 1)[1], json.loads(file.read_text())) for file in files]

    def test_it_ends_well_and_complains_of_nothing(self):
        # The names of objects are those of the simulator, which has none that sounds like a complaint.
        complaints = [line for line in self.output.splitlines() if COMPLAINT.search(line)]
        self.assertEqual((self.code, complaints), (0, []))
        self.assertGreater(len(PROGRESS.findall(self.output)), OBJECTS // 2)

    def test_graph_refused_it_nothing(self):
        refused = [
            (request["status"], request["path"])
            for request in self.cloud.control("log")
            if request["status"] != 200
        ]
        self.assertEqual(refused, [])

    def test_every_object_it_covers_is_written_once_where_it_belongs(self):
        wanted, found = {}, {}
        for folder, path, keys in LISTS:
            objects = {thing["id"]: thing for thing in self.lists[path]}
            ids = [id for key in keys for id in self.expected[key] if not is_left_out(key, objects[id])]
            self.assertTrue(objects, f"the simulator has nothing for {folder}")
            wanted.setdefault(folder, Counter()).update(ids)
        for folder, key in CHILDREN:
            wanted[folder] = Counter(self.expected[key])
        for folder in wanted:
            found[folder] = Counter(id for id, _ in self.written(folder))
        differ = {
            folder: {"missing": wanted[folder] - found[folder], "too many": found[folder] - wanted[folder]}
            for folder in wanted
            if wanted[folder] != found[folder]
        }
        self.assertEqual(differ, {})
        for folder, _ in SINGLE:
            self.assertEqual(len(list(self.backup.glob(f"{folder}/*.json"))), 1, folder)

    def test_what_is_written_is_what_the_simulator_has(self):
        compared = 0
        for folder, path, _ in LISTS:
            objects = {thing["id"]: thing for thing in self.lists[path]}
            for id, written in self.written(folder):
                thing = objects.get(id, {})
                same = {name for name in written if name in thing} - REWRITTEN
                self.assertEqual({name: written[name] for name in same}, {name: thing[name] for name in same}, id)
                compared += len(same)
        self.assertGreater(compared, 5 * OBJECTS)

    def test_nothing_of_an_object_is_cut_off(self):
        for id, policy in self.written("Settings Catalog"):
            self.assertEqual(len(policy["settings"]), policy["settingCount"], id)
        for path in ("beta/deviceManagement/deviceConfigurations", "beta/deviceManagement/intents"):
            folder = next(folder for folder, known, _ in LISTS if known == path)
            assigned = {
                thing["id"]: len(thing["assignments"]) for thing in self.cloud.everything(f"{path}?$expand=assignments")
            }
            for id, written in self.written(folder):
                self.assertEqual(len(written.get("assignments", [])), assigned[id], id)

    def test_encrypted_values_are_read_in_plain(self):
        values = [
            setting["value"]
            for _, written in self.written("Device Configurations")
            for setting in written.get("omaSettings", [])
            if setting["omaUri"].endswith("/Key")
        ]
        self.assertTrue(values)
        self.assertTrue(all("oma-plain" in value["value"] for value in values), values)


if __name__ == "__main__":
    unittest.main()
