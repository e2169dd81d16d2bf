"""The simulated cloud as these tests see it: a process, and what it says of itself."""

import json
import os
import ssl
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

BINARY = os.environ["TENANTATLAS_BINARY"]


class Cloud:
    """`tenantatlas graph-sim --tls` on a free port, stopped at the end of the block."""

    def __init__(self, objects, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="tenantatlas-clients-")
        self.path = Path(self.folder.name)
        command = [BINARY, "graph-sim", "--tls", "--json", "--address", "127.0.0.1:0", "--objects", str(objects)]
        command += ["--authority-file", str(self.path / "authority.pem"), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the simulated cloud did not start")
        self.facts = json.loads(line)
        self.tenant = self.facts["tenants"][0]
        self.tls = ssl.create_default_context(cafile=self.facts["ca_file"])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.folder.cleanup()

    def environment(self):
        """All that a client is told: the way to Microsoft's hosts leads here, and who is to be trusted there."""
        file = self.facts["ca_file"]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "HTTPS_PROXY": self.facts["proxy_url"],
            "NO_PROXY": "",
            "SSL_CERT_FILE": file,
            "REQUESTS_CA_BUNDLE": file,
        }

    def control(self, name, **body):
        """Asks a control of the cloud."""
        origin = self.facts["graph_url"].removesuffix("/graph")
        return self._ask(f"{origin}/_sim/{name}", json.dumps(body).encode())

    def everything(self, path):
        """All objects of a list, read without any of the clients."""
        if not hasattr(self, "token"):
            form = urllib.parse.urlencode({
                "grant_type": "client_credentials",
                "client_id": self.tenant["client_id"],
                "client_secret": self.tenant["client_secret"],
                "scope": f"{self.facts['graph_url']}/.default",
            })
            address = f"{self.facts['login_url']}/{self.tenant['tenant_id']}/oauth2/v2.0/token"
            self.token = self._ask(address, form.encode())["access_token"]
        address, objects = f"{self.facts['graph_url']}/{path}", []
        while address:
            page = self._ask(address, token=self.token)
            # A single object is a list of one.
            objects += page.get("value", [page])
            address = page.get("@odata.nextLink")
        return objects

    def _ask(self, address, body=None, token=None):
        request = urllib.request.Request(address, data=body)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls)
        )
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)
