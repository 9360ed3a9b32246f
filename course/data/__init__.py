"""Data sets that need no network: `from course.data import digits, moons, plane`.

`plane` has labelled points, `moons` two half circles of them, `marks` images of small marks,
`graphs` a club of people, rings and trees, `digits` and `photos` what scikit-learn and scikit-image
bring along (each is imported when it is asked for).
"""

from course.data import moons, plane

__all__ = ["moons", "plane"]
