"""Runs the README's story line by line and compares what it prints. Expects URL, CA and the four passwords."""

import os
import re
import subprocess
import sys
import tempfile
import time

readme = open(os.path.join(os.path.dirname(__file__), "..", "..", "README.md"), encoding="utf-8").read()
lines = [line for block in re.findall(r"```sh\n(.*?)```", readme, re.S) for line in block.splitlines()]
folder = tempfile.mkdtemp()
definitions = []


def run(command):
    script = "\n".join([*definitions, command])
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)


for line, after in zip(lines, [*lines[1:], ""]):
    if line.startswith(("# ", "ELASTIC=...")):
        continue
    # The README's address and certificate are those of the shipped config.
    command = line.replace("https://127.0.0.1:9243", os.environ["URL"]).replace("certs/ca.crt", os.environ["CA"])
    if re.match(r"\w+\(\)|now=", command):
        definitions.append(command)
        continue
    expected = after[2:] if after.startswith("# ") else ""
    # Results appear within moments: a person is slower than a script.
    deadline = time.monotonic() + (60 if " GET " in command else 0)
    done = run(command)
    while done.stdout.strip() != expected and time.monotonic() < deadline:
        time.sleep(0.2)
        done = run(command)
    if done.stdout.strip() != expected:
        sys.exit(f"{line}\nprinted:  {done.stdout}{done.stderr}\nexpected: {expected}")
print("README: the story holds")
