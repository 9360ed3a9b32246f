"""Kernels forked from a process that has everything imported: ready in a tenth of a second.

The grader's process asks its `nursery` for a kernel; that has one `parent`, which forks a `guard`
for each kernel, and that forks the `kernel` itself and shuts it in (`course.grading.sandbox`).
`provisioner` offers them to Jupyter, by the name that is in kernelspec/kernel.json.
"""

import sys

KERNEL_NAME = "course-graded"
# A kernel's sockets, numbered from 1.
PORTS = ("shell", "iopub", "stdin", "control", "hb")
END = b"end"  # what the parent is told when no more kernels are wanted


def what_is_missing() -> str:
    """Why Jupyter can't start our kernels, in a sentence; "" where it can."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.provisioning import KernelProvisionerFactory

    if sys.platform != "linux":
        return "Warm kernels need Linux."
    if (
        KERNEL_NAME in KernelSpecManager().find_kernel_specs()
        and "course-warm" in KernelProvisionerFactory.instance().provisioners
    ):
        return ""
    return f"Jupyter does not know the kernel {KERNEL_NAME}: run `make setup` in the course folder."
