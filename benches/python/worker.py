"""One Python peer, asked on standard input; the lines are those of benches/src/worker.rs."""

import json
import sys
import time


def main(peer, case, tables):
    if peer == "workshop":
        import workshop

        handler = workshop.handler_for(case)

        def invoke(body):
            # As Lambda's own runtime for Python does it around a handler.
            return json.dumps(handler(json.loads(body), None)).encode("utf-8")

    else:
        import ecs

        invoke = ecs.handler_for(case, peer, tables)
    event = b""
    for line in sys.stdin:
        word, _, argument = line.rstrip("\n").partition(" ")
        answer = "ok"
        if word == "load":
            with open(argument, "rb") as file:
                event = file.read()
        elif word == "answer":
            with open(argument, "wb") as file:
                file.write(invoke(event))
        elif word == "run":
            start = time.process_time_ns()
            for _ in range(int(argument)):
                invoke(event)
            answer = str(time.process_time_ns() - start)
        else:
            raise SystemExit(f"{line!r} is not understood")
        print(answer, flush=True)


main(*sys.argv[1:])
