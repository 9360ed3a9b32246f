"""The judge: graded cells run here, the student's functions in the student's kernel.

`execute` is nbgrader's preprocessor. It starts an `agent` in the kernel and talks with it through
a `link`; values cross as described in `wire`. `subject` makes the student's names look like
ordinary functions to a graded cell, `court` runs that cell on the questions of the `docket`, and
`naming` finds the catalogued mistake behind a failure, by what `record` wrote down.
"""
