"""Data sets that need no network: `data.plane` has labelled points in the plane."""

from course.data import plane

__all__ = ["plane"]
