"""Runs arbitragerepair in the environment of rivals.txt; imports nothing of this project.

Each line of standard input is a JSON object: task ("detect" or "repair"), tenors, strikes (K/F) and calls
(forward-normalised) of N quotes, limit in seconds. Each answer is a JSON object: seconds, and calls [N] after
"repair" (empty where its solver gave up) or the number of breached constraints after "detect". Over the limit
the process ends without an answer. `seconds` is what a user of the library waits for, from arrays to arrays:
normalising, building and testing the constraints, and for "repair" solving.
"""

import contextlib
import json
import signal
import sys
import time
import warnings
from typing import Any

import numpy as np
from arbitragerepair import constraints, repair
from cvxopt import solvers


def detect(tenors: Any, strikes: Any, calls: Any) -> tuple[Any, Any, Any, Any, Any]:
    normalise = constraints.Normalise()
    normalise.fit(tenors, strikes, calls, np.ones(len(calls)))
    ordered = normalise.transform(tenors, strikes, calls)
    matrix, limits, _, breaches = constraints.detect(*ordered)
    return normalise, ordered[2], matrix, limits, breaches


def answer(request: dict[str, Any]) -> dict[str, Any]:
    tenors, strikes, calls = (np.array(request[name]) for name in ("tenors", "strikes", "calls"))
    start = time.perf_counter()
    normalise, ordered, matrix, limits, breaches = detect(tenors, strikes, calls)
    if request["task"] == "detect":
        return {"seconds": time.perf_counter() - start, "breaches": int(sum(breaches))}
    change = repair.l1(matrix, limits, ordered)
    seconds = time.perf_counter() - start
    if len(change):
        calls[normalise._order_mask] = ordered + change
    return {"seconds": seconds, "calls": calls.tolist() if len(change) else []}


def main() -> None:
    warnings.simplefilter("ignore")
    solvers.options["glpk"] = {"msg_lev": "GLP_MSG_OFF"}
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, request["limit"])
        with contextlib.redirect_stdout(None):
            found = answer(request)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
