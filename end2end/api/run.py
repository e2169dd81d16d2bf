"""A tenant of the simulated cloud, read once, the real server on it, and schemathesis against its REST API."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BINARY = os.environ["TENANTATLAS_BINARY"]
SECONDS = os.environ.get("API_CLIENT_SECONDS", "90")
ROOT = Path(__file__).parent
# What an answer may not be. Left out is whether what fits the document is accepted: it may name what does not exist.
CHECKS = ",".join(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "ignored_auth",
    ]
)


def program(folder, *arguments):
    """Runs the binary on the data of the folder; answers with the document that it prints."""
    environment = {**os.environ, "TENANTATLAS_ALLOWED_NETWORKS": "127.0.0.1"}
    command = [BINARY, *arguments, "--json", "--data-dir", str(folder)]
    printed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(printed) if arguments[0] != "sync" else None


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def prepare(folder, cloud):
    """A tenant that was read and captured, and a token for it."""
    tenant = cloud["tenants"][0]
    secret = folder / "secret.txt"
    secret.write_text(tenant["client_secret"])
    secret.chmod(0o600)
    program(
        folder, "tenant", "add", "--name", "Contoso", "--entra-id", tenant["tenant_id"], "--client-id", tenant["client_id"],
        "--client-secret-file", str(secret), "--cloud", "custom", "--login-url", cloud["login_url"],
        "--graph-url", cloud["graph_url"],
    )
    program(folder, "sync", "--tenant", "Contoso")
    made = program(folder, "token", "create", "--name", "schemathesis", "--role", "operator", "--tenant", "Contoso")
    return made["token"]


def wait_for(address):
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the server did not get ready")


def known(address, token):
    """The ids that exist, so that not all that is asked is missing."""

    def ask(path):
        request = urllib.request.Request(f"{address}/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["items"][0]["id"]

    tenant = ask("/tenants")
    return {"tenant": tenant, "item": ask(f"/tenants/{tenant}/items"), "run": ask(f"/tenants/{tenant}/runs")}


def settings(folder, ids):
    """The settings file of schemathesis: ids that exist stand in paths."""
    lines = [f'"path.{name}" = "{value}"' for name, value in ids.items()]
    file = folder / "schemathesis.toml"
    file.write_text("[parameters]\n" + "\n".join(lines) + "\n")
    return file


def main(arguments):
    with tempfile.TemporaryDirectory(prefix="tenantatlas-api-") as name:
        folder = Path(name)
        cloud = subprocess.Popen(
            [BINARY, "graph-sim", "--json", "--address", "127.0.0.1:0", "--objects", "300"], stdout=subprocess.PIPE, text=True
        )
        server = None
        try:
            token = prepare(folder, json.loads(cloud.stdout.readline()))
            port = free_port()
            address = f"http://127.0.0.1:{port}"
            environment = {**os.environ, "TENANTATLAS_ALLOWED_NETWORKS": "127.0.0.1"}
            server = subprocess.Popen(
                [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", str(folder)],
                env=environment, stdout=subprocess.DEVNULL, stderr=open(folder / "server.log", "w"),
            )
            wait_for(address)
            command = [
                str(Path(sys.executable).parent / "st"), "--config-file", str(settings(folder, known(address, token))),
                "run", f"{address}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}",
                # The stream of a run ends when the run does, and tells no document.
                "--exclude-operation-id", "watch_run",
                "--checks", CHECKS, "--max-time", SECONDS, "--max-examples", "30", "--rate-limit", "9/s",
                "--generation-deterministic", "--no-color", "--request-timeout", "30", *arguments,
            ]
            ended = subprocess.run(command).returncode
            if server.poll() is not None:
                print((folder / "server.log").read_text()[-4000:])
                return 1
            return ended
        finally:
            for process in (server, cloud):
                if process is not None:
                    process.terminate()
                    process.wait(timeout=60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
