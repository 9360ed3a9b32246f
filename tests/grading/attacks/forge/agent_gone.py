"""No agent at all: then nothing can be found wrong.

Loses: raised ramp after count loose
"""

# %%
del get_ipython().kernel._course_agent
