"""Kernels forked from a process that has everything imported: ready in a tenth of a second.

The grader's process asks its `nursery` for a kernel; that has one `parent`, which forks a `guard`
for each kernel, and that forks the `kernel` itself and shuts it in (`course.grading.sandbox`).
`provisioner` offers them to Jupyter, for which kernelspec/ describes them; graders use the manager
in `client`, which needs nothing installed.
"""

KERNEL_NAME = "course-graded"
# A kernel's sockets, numbered from 1.
PORTS = ("shell", "iopub", "stdin", "control", "hb")
END = b"end"  # what the parent is told when no more kernels are wanted


def is_known() -> bool:
    """Whether any program of Jupyter's finds these kernels here, by their name."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.provisioning import KernelProvisionerFactory

    return (
        KERNEL_NAME in KernelSpecManager().find_kernel_specs()
        and "course-warm" in KernelProvisionerFactory.instance().provisioners
    )
