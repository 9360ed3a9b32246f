"""Autograding with nbgrader: what `nbgrader_config.py` plugs in, and the sample class.

Stands above `course.check`, `course.lesson` and `course.widgets`; none of them imports it.
"""
