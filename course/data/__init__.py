"""Data sets that need no network: `from course.data import digits, marks, photos, plane`.

`plane` has labelled points, `marks` images of small marks, `digits` and `photos` what scikit-learn
and scikit-image bring along (each is imported when it is asked for).
"""

from course.data import plane

__all__ = ["plane"]
