"""`course autograde`: a whole class at once, over a Dask cluster.

The command reads what a submission needs into a bundle, any worker grades it by nbgrader's own
`Autograde`, and the command alone writes the gradebook and `autograded/`.
"""
