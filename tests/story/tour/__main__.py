"""A tour of everything that the embedded node serves, with the official client: what it answers, and how it refuses.

Expects URL; CA and ELASTIC where the server asks for credentials. Arguments are parts of capabilities' names: only those run.
Each capability makes what it needs under names of its own and removes it again.
"""

import inspect
import sys
import time
import traceback

import cluster
import datafeeds
import detectors
import documents
import jobs
import planning
import results
import snapshots
import upgrade

import elasticsearch

MODULES = (cluster, documents, jobs, results, detectors, planning, snapshots, datafeeds, upgrade)


def capabilities():
    """The functions of the modules that are theirs and take nothing, in the order of the files."""
    for module in MODULES:
        for name, function in list(vars(module).items()):
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
                if not inspect.signature(function).parameters:
                    yield f"{module.__name__}.{name}", function


def main(wanted):
    begun, passed, failed = time.monotonic(), 0, 0
    for name, capability in capabilities():
        if wanted and not any(part in name for part in wanted):
            continue
        try:
            capability()
            passed += 1
        except Exception:  # Every failure is told, and the tour goes on.
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", file=sys.stderr)
    seconds = time.monotonic() - begun
    print(f"python {elasticsearch.__versionstr__}: {passed} capabilities hold, {failed} do not ({seconds:.0f} s)")
    return 1 if failed or not passed else 0


sys.exit(main(sys.argv[1:]))
