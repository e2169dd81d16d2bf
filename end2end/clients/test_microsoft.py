"""Microsoft's own libraries against the simulated cloud: msal, azure-identity and the Graph SDK for Python."""

import json
import subprocess
import sys
import unittest
from datetime import datetime
from pathlib import Path

from cloud import Cloud

OBJECTS = 300


class Sdk(unittest.TestCase):
    maxDiff = None

    def test_msal_signs_in_and_the_graph_sdk_follows_the_pages_of_three_types(self):
        with Cloud(OBJECTS) as cloud:
            tenant = cloud.tenant
            run = subprocess.run(
                [sys.executable, Path(__file__).with_name("list_by_sdk.py")],
                env={
                    **cloud.environment(),
                    "TENANT_ID": tenant["tenant_id"],
                    "CLIENT_ID": tenant["client_id"],
                    "CLIENT_SECRET": tenant["client_secret"],
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                timeout=600,
            )
            self.assertEqual(run.returncode, 0, run.stderr)
            found = json.loads(run.stdout)
            self.assertEqual(found["token"]["token_type"], "Bearer")
            self.assertEqual(len(found["lists"]), 3)
            for path, objects in found["lists"].items():
                wanted = {
                    thing["id"]: [thing["@odata.type"], thing["displayName"], thing["lastModifiedDateTime"]]
                    for thing in cloud.everything(path)
                }
                self.assertGreater(len(wanted), 5, "more than one page")
                for thing in wanted.values():
                    thing[2] = datetime.fromisoformat(thing[2]).isoformat()
                self.assertEqual(objects, wanted, path)
            refused = [request for request in cloud.control("log") if request["status"] != 200]
            self.assertEqual(refused, [])


if __name__ == "__main__":
    unittest.main()
