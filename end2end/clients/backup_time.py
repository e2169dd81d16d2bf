"""How long the backup of IntuneCD takes, unmodified, over a simulated cloud with this latency and the documented throttling.

Prints one JSON object: seconds, files written, requests sent, and the types that it covers.
"""

import json
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from cloud import Cloud
from covered import CHILDREN, LISTS

objects, latency = sys.argv[1:]
with Cloud(objects, "--latency", latency, "--throttle") as cloud:
    backup = cloud.path / "backup"
    backup.mkdir()
    tenant = cloud.tenant
    began = time.monotonic()
    subprocess.run(
        [Path(sys.executable).parent / "IntuneCD-startbackup", "--mode", "1", "--output", "json", "--path", backup, "--append-id"],
        env={
            **cloud.environment(),
            "TENANT_NAME": tenant["tenant_id"],
            "CLIENT_ID": tenant["client_id"],
            "CLIENT_SECRET": tenant["client_secret"],
        },
        cwd=cloud.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        timeout=3_000,
        check=True,
    )
    seconds = time.monotonic() - began
    types = {key for _, _, keys in LISTS for key in keys} | {key for _, key in CHILDREN}
    print(json.dumps({
        "seconds": seconds,
        "files": sum(1 for _ in backup.glob("**/*.json")),
        "requests": cloud.control("counts")["requests"],
        "types": sorted(types),
        "version": version("IntuneCD"),
    }))
