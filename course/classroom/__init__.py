"""The classroom: a JupyterHub on which students work and instructors grade."""
