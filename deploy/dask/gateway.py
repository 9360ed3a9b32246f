"""Start a cluster of Dask Gateway's for `course autograde`, and keep it until Ctrl-C.

    python deploy/dask/gateway.py [MOST]

prints what to give to `course autograde --scheduler`. Workers, MOST (32) at a time, are started as
there is something to grade. Where the gateway is, and how to log in, is set in ~/.config/dask/.
"""

import contextlib
import sys
import threading

from dask_gateway import Gateway


def main() -> None:
    """Run until Ctrl-C."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    with Gateway() as gateway, gateway.new_cluster() as cluster:
        cluster.adapt(maximum=most)
        print(f"gateway:{cluster.name}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
