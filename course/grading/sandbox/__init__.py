"""A wall around each kernel: what it sees, may do, and may use up.

`jail` puts it up, from a `view` of the machine's files that `mounts` builds, `limits`, a `cgroup`
where there is one, and the system calls that `seccomp` leaves. `probe` says what can't be had here.
"""
