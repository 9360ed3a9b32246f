"""Start a cluster of Slurm jobs for `course autograde`, and keep it until Ctrl-C.

    python deploy/dask/slurm.py [MOST]

from the course folder on a login node prints the address for `course autograde --scheduler`. Jobs
are submitted as there is something to grade, MOST (32) at a time, and end when there is not. What
a job has is set in slurm.yaml.
"""

import contextlib
import sys
import threading

from dask_jobqueue import SLURMCluster


def main() -> None:
    """Run until Ctrl-C."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    with SLURMCluster() as cluster:
        cluster.adapt(maximum_jobs=most)
        print(cluster.scheduler_address, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
